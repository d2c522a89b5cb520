/** What the logs room needs from outside; the hall hands in the real ones, tests hand in fakes. */

/** The reading end of a child's stdout or stderr. A chunk's memory may be reused once `onChunk` has returned. */
export interface OutputPipe {
  read(onChunk: (chunk: Buffer) => void, onEnd: () => void): void;
  pause(): void;
  resume(): void;
  /** Reads what is there until EOF, but not longer than this; then it ends in any case. */
  closeWithin(ms: number): void;
}

/** Files that only grow, one for each day. Never throws: errors arrive at `done`. */
export interface LogFile {
  /**
   * Appends all bytes, lines of one day (as in base/log-names.ts); on error `written` says how many had made it. One
   * call at a time.
   */
  append(bytes: Uint8Array, day: number, done: (error: Error | undefined, written: number) => void): void;
  /** Closes, so that the next append opens the path anew. Not during an append. */
  release(): Promise<void>;
}

/** PID 1's own standard output. Must not block, whoever does or does not read it. */
export interface Output {
  readonly isTerminal: boolean;
  /** It is /dev/null. */
  readonly isDiscarded: boolean;
  /** One call at a time; the bytes must not change until `done`. */
  write(bytes: Uint8Array, done: (error: Error | undefined) => void): void;
}

/** How long others have waited for a processor. */
export interface ProcessorWaits {
  /**
   * ms that threads of the services asked for ran, and that they were ready to run and did not, since the last call;
   * undefined: the kernel does not tell. Patient ones (nice) are left out: waiting is what they were started for.
   */
  read(counts: (service: string) => boolean): { readonly ran: number; readonly waited: number } | undefined;
}

/** A service began to be restrained, is restrained in one more way, or is free again. */
export interface RestraintEvent {
  readonly service: string;
  /** `hidden`: its lines are not all shown on standard output; `held`: it is read more slowly. */
  readonly what: 'hidden' | 'held' | 'free';
  /** Its log file can be written: what is not shown, or dropped, stands there. */
  readonly hasFile: boolean;
  /** Since it was free last: ms it was made to wait, and lines that standard output did not show. */
  readonly heldMs: number;
  readonly hiddenLines: number;
}

/** The log file of a service cannot be written any more, or can be again. */
export interface FileEvent {
  readonly service: string;
  /** The operating system's words; undefined: it can be written again. */
  readonly cause: string | undefined;
}
