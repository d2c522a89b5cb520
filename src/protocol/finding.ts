/** One thing that was looked at: what is true, and, where that is not good, what to do. */
export interface Finding {
  /** A short stable word: `disk`, `ports`. */
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly fact: string;
  readonly remedy?: string;
}
