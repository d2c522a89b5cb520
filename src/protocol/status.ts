/** What people are shown of the product: derived by PID 1, printed by the command line, returned by --json. */
import type { JobsHealth } from './jobs-words.ts';
import type { ScheduleStatus } from './schedules.ts';
import type { SCHEMA_VERSION } from './schema-version.ts';
import type { Overall } from './verdict.ts';

export const STATUS_WORDS = [
  'waiting',
  'starting',
  'ready',
  'unhealthy',
  'backoff',
  'stopping',
  'stopped',
  'done',
  'failed',
  'disabled',
] as const;

export type StatusWord = (typeof STATUS_WORDS)[number];

export interface ServiceStatus {
  readonly name: string;
  /** `web` of `web-2`: the name that means all of them. */
  readonly replicaOf?: string;
  readonly kind: 'service' | 'task';
  readonly status: StatusWord;
  /** One sentence without a final stop: why it is so. Empty where the word says all. */
  readonly reason: string;
  /** ISO 8601; when the status word became true. */
  readonly since: string;
  /** Counts spawns of this service, from 1; 0: never started. */
  readonly generation: number;
  readonly pid: number | undefined;
  readonly critical: boolean;
  /** Unintended ends since boot. */
  readonly restarts: number;
  /** ISO 8601, when the next start is due, in backoff only. */
  readonly nextStart: string | undefined;
  /** Milliseconds from spawn to ready (or to a task's end) of the current or last generation. */
  readonly startedIn: number | undefined;
  readonly lastExit: ExitStatus | undefined;
  /** The last line it wrote, already cut to 200 characters; only where it is not well. */
  readonly lastLine: string | undefined;
  readonly check: CheckStatus | undefined;
  readonly progress: Progress | undefined;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: string;
}

export interface CheckStatus {
  readonly up: boolean | undefined;
  readonly failures: number;
  readonly threshold: number;
  readonly lastError: string | undefined;
  readonly durationMs: number | undefined;
  readonly at: string | undefined;
}

/** How far a task has come, as it says itself. */
export interface Progress {
  /** "importing tools.sql.gz" */
  readonly what: string;
  /** 0–100, where the end is known. */
  readonly percent: number | undefined;
  /** "12,403 rows", free text. */
  readonly detail: string | undefined;
}

export interface ProductStatus {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly name: string;
  readonly version: string;
  readonly tier: string;
  readonly pid: number;
  /** ISO 8601 */
  readonly since: string;
  readonly phase: 'booting' | 'running' | 'stopping';
  readonly overall: Overall;
  /** The reason sentence: "degraded: app crashed 3 times in 2 min, next start in 8 s; last line: …". */
  readonly reason: string;
  readonly services: readonly ServiceStatus[];
  /** What runs by the clock. */
  readonly schedules: readonly ScheduleStatus[];
  /** The queue, as its worker told it last; undefined: there is none, or its worker has not spoken yet. */
  readonly jobs?: JobsHealth | undefined;
  /** What a person should know though nothing is down: not a mount, not isolated … */
  readonly notes: readonly string[];
  /** What people have asked for and is under way, with how far it is: "importing x.sql, 43 %, …". */
  readonly working?: readonly string[];
  readonly addresses: readonly { readonly what: string; readonly url: string }[];
  /** PID 1 about itself, as it is at the moment of asking. */
  readonly supervisor?: SelfStatus;
}

/** Stands for a service where lines of all are meant. */
export const STANDARD_OUTPUT = 'standard output';

/** How the supervisor itself is. */
export interface SelfStatus {
  /** Why it should be restarted, one sentence without a final stop; undefined: it is well. /livez says the same. */
  readonly fault: string | undefined;
  /** ms by which its most late timer of the last minute rang. */
  readonly loopLag: number;
  /** Orphans that died and are not yet reaped. */
  readonly zombies: number;
  readonly openFiles: number;
  /** undefined: no limit is known. */
  readonly openFilesLimit: number | undefined;
  readonly timers: number;
  readonly residentBytes: number;
  /** Log lines that still wait for a file or for standard output, in bytes. */
  readonly logQueuedBytes: number;
  /** Log lines that a file or standard output has missed since boot; not those that were hidden from the latter. */
  readonly logDroppedLines: number;
  /** Of them those that are in no file, by service, where there are any; without files all, under STANDARD_OUTPUT. */
  readonly logLostLines: Readonly<Record<string, number>>;
  /** Inputs of its state machine that should never have come, and were survived. */
  readonly internalErrors: number;
}
