/**
 * What a person's client and PID 1 say to each other: HTTP/1.1 over the control socket.
 *
 *   GET  /v1/status                          ProductStatus
 *   GET  /v1/metrics                         MetricsAnswer
 *   GET  /v1/health?level=live|ready         HealthAnswer, 200 or 503
 *   GET  /v1/logs?service=&tail=&since=&follow=1    LogLine per line; `service` may repeat, `since` is ISO 8601
 *   GET  /v1/events?since=&follow=1&jobs=1   EventLine per line; `since` is a sequence number; `jobs`: with those of jobs
 *   GET  /v1/plan                            the plan with its secrets masked
 *   POST /v1/services/start|stop|restart     ChangeRequest → ChangeAnswer
 *   POST /v1/scale                           ScaleRequest → ScaleAnswer
 *   POST /v1/schedules/run                   {name, wait?} → ScheduleRunAnswer
 *   POST /v1/jobs                            JobsRequest → JobsAnswer; 503 where no worker could answer
 *   POST /v1/reload                          ReloadRequest → ReloadAnswer
 *   GET  /v1/tokens                          TokensAnswer
 *   POST /v1/tokens                          {name, role, sha256, expiresAt?} → TokenView
 *   POST /v1/tokens/revoke                   {name} → {revoked}
 *   POST /v1/exec                            ExecInput per line → ExecOutput per line, both ways at once
 *   POST /v1/runs                            RunRequest → RunOutput per line; a kept run outlives its client
 *   GET  /v1/runs                            KeptRunsAnswer
 *   GET  /v1/runs/follow?id=                 RunOutput per line: what is kept of that run, then the rest
 *   POST /v1/runs/cancel                     {id} → {id}: it is asked to end
 *
 * Whatever goes wrong is an ErrorAnswer; in a stream that has begun it is the last line, `{type: 'error', error}`.
 * A client that means one volume says so in DATA_HEADER; the supervisor of another one answers 421 and does nothing.
 */
import type { ProgramName } from '../config/plan-runs.ts';
import type { Report } from './channel.ts';
import type { BulkheadEvent } from './events.ts';
import type { JobEvent } from './jobs.ts';
import type { KeptEnd, KeptOrder } from './kept-runs.ts';
import type { SCHEMA_VERSION } from './schema-version.ts';
import type { ServiceStatus } from './status.ts';
import type { Overall } from './verdict.ts';

/**
 * In answers the absolute data directory of the supervisor, percent-encoded; in requests the one that is meant, or
 * more spellings of it with commas between.
 */
export const DATA_HEADER = 'bulkhead-data';

interface Versioned {
  readonly schemaVersion: typeof SCHEMA_VERSION;
}

export interface ErrorBody {
  /** A short stable word for programs to branch on. */
  readonly code: string;
  readonly message: string;
  readonly remedy: string | undefined;
  /** What a command that meets this error ends with. */
  readonly exitCode: number;
}

export interface ErrorAnswer extends Versioned {
  readonly error: ErrorBody;
}

type HealthLevel = 'live' | 'ready';

export interface HealthAnswer extends Versioned {
  readonly level: HealthLevel;
  readonly ok: boolean;
  readonly status: Overall;
  readonly reason: string;
}

export interface LogLine {
  /** ISO 8601, when the line was read. */
  readonly time: string;
  readonly service: string;
  /** `note` is said by Bulkhead itself, e.g. "dropped 12 lines: the reader is too slow". */
  readonly stream: 'stdout' | 'stderr' | 'note';
  /** The short id of the job it is about; `service` is the type. */
  readonly job?: string;
  readonly line: string;
}

/** `missed`: events before `before` are no longer kept. */
export type EventLine = BulkheadEvent | { readonly type: 'missed'; readonly before: number } | JobEvent;

export type ChangeAction = 'start' | 'stop' | 'restart';

export interface ChangeRequest {
  readonly names: readonly string[];
  /** Answer when it is done (the default), or as soon as it was asked for. */
  readonly wait?: boolean;
  /** Milliseconds to wait; where they are restarted one by one, for each of them. */
  readonly timeout?: number;
  /** Of a restart: one after the other, each when the one before it is ready; the first that is not ends it. */
  readonly rolling?: boolean;
  /** Of a restart: with all that depends on them, tasks among it, which run again. */
  readonly dependents?: boolean;
}

export interface ServiceChange {
  readonly name: string;
  /**
   * `asked`: nobody waited for it; `pending`: the time was up before it was done; `untouched`: a rolling restart ended
   * before its turn.
   */
  readonly outcome: 'changed' | 'unchanged' | 'failed' | 'asked' | 'pending' | 'untouched';
  readonly before: ServiceStatus;
  readonly after: ServiceStatus;
  /** Milliseconds from the request to its end. */
  readonly took: number;
  /** Of a stop: services that depend on it and were left running. */
  readonly neededBy?: readonly string[];
}

export interface ChangeAnswer extends Versioned {
  readonly action: ChangeAction;
  readonly changes: readonly ServiceChange[];
  readonly exitCode: number;
}

/** How many replicas of each service there shall be; until the next reload, which goes back to the plan. */
export interface ScaleRequest {
  readonly sizes: Readonly<Record<string, number>>;
  readonly wait?: boolean;
  /** Milliseconds to wait. */
  readonly timeout?: number;
}

export interface ScaleChange extends ServiceChange {
  readonly action: ChangeAction;
}

export interface ScaleAnswer extends Versioned {
  /** Replicas that came and went; empty where there were as many already. */
  readonly changes: readonly ScaleChange[];
  readonly exitCode: number;
}

export interface ReloadRequest {
  readonly dryRun?: boolean;
}

export interface ReloadChange {
  readonly service: string;
  /** `update`: taken over without touching the process. */
  readonly action: ChangeAction | 'update';
  /** Which settings differ: "environment.PORT, healthcheck.interval". */
  readonly reason: string;
}

export interface ReloadAnswer extends Versioned {
  readonly dryRun: boolean;
  readonly changes: readonly ReloadChange[];
}

/** The first line is `open`. `end` ends the program's standard input; signals may still follow it. */
export type ExecInput =
  | { readonly type: 'open'; readonly service: string; readonly argv: readonly string[] }
  | { readonly type: 'stdin'; readonly data: string }
  | { readonly type: 'end' }
  | { readonly type: 'signal'; readonly signal: ExecSignal };

/** Signals a client may pass on to the program it started. */
export const EXEC_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
export type ExecSignal = (typeof EXEC_SIGNALS)[number];

/** `data` is base64: programs write bytes, not text. */
export type ExecOutput =
  | { readonly type: 'stdout' | 'stderr'; readonly data: string }
  | { readonly type: 'exit'; readonly code: number | null; readonly signal: string | null }
  | { readonly type: 'error'; readonly error: ErrorBody };

/** Programs a person may ask for beside a living supervisor. */
export const ASKABLE_PROGRAMS = [
  'import',
  'database-status',
  'check-database',
  'backup',
  'verify-backups',
  'prune-backups',
  'pin-backup',
  'upgrade',
  'rollback',
  'fetch-backup',
  'unpack-backup',
  'restore',
  'restore-files',
  'adopt',
  'point-in-time',
  'measure',
  'command',
] as const satisfies readonly ProgramName[];
export type AskableProgram = (typeof ASKABLE_PROGRAMS)[number];

export interface RunRequest {
  readonly program: AskableProgram;
  readonly input: Readonly<Record<string, string>>;
  /** Without it the run ends with its client. */
  readonly keep?: KeptOrder;
}

export type RunOutput =
  | Report
  /** With more than its code where it is kept. */
  | ({ readonly type: 'exit' } & Pick<KeptEnd, 'code'> & Partial<KeptEnd>)
  | { readonly type: 'error'; readonly error: ErrorBody };
