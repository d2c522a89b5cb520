/** How the whole program speaks of failure: "cannot X: cause", then the remedy. */

export interface FailureOptions {
  /** What the reader can do about it, one sentence in the imperative. */
  remedy?: string;
  /** A short stable word for programs to branch on, e.g. `port-taken`. */
  code?: string;
  /** The exit code the process should end with, see protocol/exit-codes.ts. */
  exitCode?: number;
  cause?: unknown;
}

/** An expected failure, told to a person: no stack is printed for it. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly remedy: string | undefined;
  readonly code: string | undefined;
  readonly exitCode: number | undefined;

  constructor(message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.remedy = options.remedy;
    this.code = options.code;
    this.exitCode = options.exitCode;
  }
}

/** The message of anything thrown, for the "cause" half of another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno-style code (`ENOENT`) of a system error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
