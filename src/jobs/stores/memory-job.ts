/** A job in memory, and the lines of the journal that make it. */
import type { Durability, JobState } from '../../protocol/jobs.ts';
import type { JobFailure, JobHistory, JobProgress, JobRecord } from '../store.ts';

/** Times are milliseconds since the epoch. */
export interface MemoryJob {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly createdAt: number;
  /** The order in which jobs were added. */
  readonly seq: number;
  readonly parent?: string | undefined;
  readonly singletonKey?: string | undefined;
  readonly state: JobState;
  readonly attempts: number;
  readonly startAfter?: number | undefined;
  readonly startedAt?: number | undefined;
  readonly finishedAt?: number | undefined;
  readonly result?: unknown;
  readonly failure?: JobFailure | undefined;
  readonly progress?: JobProgress | undefined;
  readonly worker?: string | undefined;
  readonly token?: string | undefined;
  readonly cancelRequested?: true | undefined;
  readonly round?: number | undefined;
  readonly history?: JobHistory | undefined;
}

/** What changes in the life of a job. */
export type Change = Partial<
  Omit<MemoryJob, 'id' | 'type' | 'data' | 'priority' | 'maxAttempts' | 'createdAt' | 'seq' | 'parent'>
>;

/** One line of the journal. The last word on a job counts; what is undefined is listed under `unset`. */
export type JournalLine =
  | { readonly bulkhead: 'jobs'; readonly version: 1 }
  | { readonly job: MemoryJob }
  | ChangeLine
  | { readonly gone: string }
  /** Perhaps in the other store by now: nobody here may run them, also in a later life. */
  | { readonly handedOver: readonly string[] }
  | { readonly paused: readonly string[] };

export interface ChangeLine {
  readonly id: string;
  readonly set: Change;
  readonly unset: readonly string[];
}

export const HEADER: JournalLine = { bulkhead: 'jobs', version: 1 };

export function isWaiting({ state }: { readonly state: JobState }): boolean {
  return state === 'created' || state === 'retry';
}

export function isFinished({ state }: { readonly state: JobState }): boolean {
  return !isWaiting({ state }) && state !== 'active';
}

/** Roughly what it costs to keep: the bytes of its data and result. */
export function sizeOf(job: MemoryJob): number {
  return 512 + jsonSize(job.data) + jsonSize(job.result);
}

function jsonSize(value: unknown): number {
  return value === undefined || value === null ? 0 : JSON.stringify(value).length;
}

export function viewOf(job: MemoryJob, durability: Durability): JobRecord {
  const { startAfter, startedAt, finishedAt, singletonKey, progress, result, failure, worker, parent } = job;
  return {
    id: job.id,
    type: job.type,
    state: job.state,
    priority: job.priority,
    data: job.data,
    ...(singletonKey === undefined ? {} : { singletonKey }),
    attempts: job.attempts,
    maxAttempts: job.maxAttempts,
    createdAt: iso(job.createdAt),
    ...(startAfter === undefined ? {} : { startAfter: iso(startAfter) }),
    ...(startedAt === undefined ? {} : { startedAt: iso(startedAt) }),
    ...(finishedAt === undefined ? {} : { finishedAt: iso(finishedAt) }),
    ...(progress === undefined ? {} : { progress }),
    ...(result === undefined ? {} : { result }),
    ...(failure === undefined ? {} : { failure }),
    ...(job.cancelRequested ? { cancelRequested: true } : {}),
    durability,
    ...(worker === undefined ? {} : { worker }),
    ...(parent === undefined ? {} : { parent }),
    ...(job.state === 'failed' ? { deadLetter: true } : {}),
    ...(job.round === undefined ? {} : { round: job.round }),
    ...(job.history === undefined ? {} : { history: job.history }),
  };
}

/** As it was in another store; what was active there waits again. */
export function jobOf(record: JobRecord, seq: number): MemoryJob {
  const { startAfter, startedAt, finishedAt, singletonKey, progress, result, failure, worker, parent } =
    record;
  return {
    id: record.id,
    type: record.type,
    data: record.data,
    priority: record.priority,
    maxAttempts: record.maxAttempts,
    createdAt: Date.parse(record.createdAt),
    seq,
    parent,
    singletonKey,
    state: record.state === 'active' ? 'retry' : record.state,
    attempts: record.attempts,
    startAfter: ms(startAfter),
    startedAt: ms(startedAt),
    finishedAt: ms(finishedAt),
    result,
    failure,
    progress,
    worker,
    round: record.round,
    history: record.history,
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function ms(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
