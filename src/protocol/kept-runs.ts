/** Runs of our own programs that PID 1 keeps, so that they outlive who asked for them. */
import type { SCHEMA_VERSION } from './schema-version.ts';

/** With a RunRequest: do not end it because I am gone. */
export interface KeptOrder {
  /** Of the asker's choice, and new. */
  readonly id: string;
  /** What the asker wants to be told of it later on; PID 1 reads nothing of it. */
  readonly label: Readonly<Record<string, string>>;
}

export interface KeptEnd {
  readonly code: number;
  /** ISO 8601 */
  readonly endedAt: string;
  /** Somebody asked it to end. */
  readonly cancelled: boolean;
}

export interface KeptRun extends KeptOrder {
  /** ISO 8601 */
  readonly startedAt: string;
  /** Undefined: it runs. */
  readonly end: KeptEnd | undefined;
}

/** Of this start of PID 1, oldest first: those that run, and the newest of those that have ended. */
export interface KeptRunsAnswer {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly runs: readonly KeptRun[];
}
