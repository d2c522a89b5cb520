/** Time as an argument: monotonic for durations, wall time only for what people read. All in milliseconds. */
export interface Clock {
  /** Monotonic. */
  mono(): number;
  /** Since the epoch. */
  now(): number;
  /** Calls `run` once after `ms`; the returned function disarms it. */
  after(ms: number, run: () => void): () => void;
}
