/** A job as a row of pg-boss's table, and back. */
import { randomUUID } from 'node:crypto';
import type { JobState } from '../../protocol/jobs.ts';
import type { Claim, JobFailure, JobHistory, JobProgress, JobRecord, NewJob } from '../store.ts';

/** Of the column `data`: what the job was given, and what our own words need. */
interface Data extends Packed {
  readonly parent?: string;
  readonly round?: number;
}

/** Of the column `output`. */
interface Output extends Packed {
  readonly failure?: JobFailure;
  readonly worker?: string;
  readonly progress?: JobProgress;
  readonly history?: JobHistory;
}

/** As text: jsonb would forget the order of keys, and refuse strings that JSON has and PostgreSQL has not. */
interface Packed {
  readonly json?: string;
}

export interface JobRow {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  readonly priority: number;
  readonly data: Data | null;
  readonly singleton_key: string | null;
  readonly attempts: number;
  readonly max_attempts: number;
  readonly created_on: Date;
  readonly created_us: string;
  readonly start_after: Date | null;
  readonly started_on: Date | null;
  readonly completed_on: Date | null;
  readonly output: Output | null;
  readonly worker: string | null;
  readonly progress: JobProgress | null;
  readonly cancel_requested: boolean | null;
}

export interface ClaimRow {
  readonly id: string;
  readonly name: string;
  readonly data: Data | null;
  readonly priority: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly token: string;
  /** When the server looked. */
  readonly claimed_us: string;
}

/** Nothing was there to claim. */
export interface NoClaimRow extends Pick<ClaimRow, 'claimed_us'> {
  readonly id: null;
}

/**
 * pg-boss's policy `exclusive` lets one job of a queue and key be created, retry or active, and one without a key as
 * well: so a job without gets a key that is its own.
 */
export function singletonColumn(job: { readonly singletonKey?: string | undefined }): string {
  return job.singletonKey === undefined ? `-${randomUUID()}` : `=${textOf(job.singletonKey)}`;
}

export function pack(value: unknown): Packed {
  return value === undefined ? {} : { json: JSON.stringify(value) };
}

function unpack(packed: Packed | null): unknown {
  return packed?.json === undefined ? undefined : JSON.parse(packed.json);
}

/** For a parameter of type jsonb, which takes neither \u0000 nor half a surrogate pair. */
export function jsonbOf(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'string' ? textOf(part) : part));
}

/** For a parameter of type text, likewise. */
export function textOf(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/** The column `data`. */
export function dataColumn({
  data,
  parent,
  round,
}: Pick<NewJob, 'data' | 'parent'> & Pick<JobRecord, 'round'>): Data {
  return {
    ...pack(data ?? null),
    ...(parent === undefined ? {} : { parent }),
    ...(round === undefined ? {} : { round }),
  };
}

export function recordOf(row: JobRow): JobRecord {
  const output = row.output ?? {};
  const active = row.state === 'active';
  const worker = active ? row.worker : output.worker;
  const progress = active ? row.progress : output.progress;
  const result = row.state === 'completed' ? unpack(output) : undefined;
  const key = row.singleton_key?.startsWith('=') ? row.singleton_key.slice(1) : undefined;
  return {
    id: row.id,
    type: row.name,
    state: row.state,
    priority: row.priority,
    data: unpack(row.data),
    ...(key === undefined ? {} : { singletonKey: key }),
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    createdAt: row.created_on.toISOString(),
    ...(row.start_after ? { startAfter: row.start_after.toISOString() } : {}),
    ...(row.started_on ? { startedAt: row.started_on.toISOString() } : {}),
    ...(row.completed_on ? { finishedAt: row.completed_on.toISOString() } : {}),
    ...(progress ? { progress } : {}),
    ...(result === undefined ? {} : { result }),
    ...(output.failure ? { failure: output.failure } : {}),
    ...(row.cancel_requested ? { cancelRequested: true } : {}),
    durability: 'durable',
    ...(worker ? { worker } : {}),
    ...(row.data?.parent === undefined ? {} : { parent: row.data.parent }),
    ...(row.state === 'failed' ? { deadLetter: true } : {}),
    ...(row.data?.round === undefined ? {} : { round: row.data.round }),
    ...(output.history === undefined ? {} : { history: output.history }),
  };
}

export function claimOf(row: ClaimRow, worker: string): Claim {
  return {
    id: row.id,
    type: row.name,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    priority: row.priority,
    data: unpack(row.data),
    ...(row.data?.parent === undefined ? {} : { parent: row.data.parent }),
    round: row.data?.round ?? 0,
    worker,
    token: row.token,
    cancelRequested: false,
  };
}

/** For `ADOPT`: as it was in another store; what was active there waits again. */
export function adoptedRow(job: JobRecord): Record<string, unknown> {
  const state = job.state === 'active' ? 'retry' : job.state;
  const { failure, worker, progress, history } = job;
  const result = state === 'completed' ? pack(job.result) : {};
  return {
    id: job.id,
    name: job.type,
    data: dataColumn(job),
    priority: job.priority,
    state,
    retry_limit: job.maxAttempts - 1,
    retry_count: Math.max(job.attempts - 1, 0),
    singleton_key: singletonColumn(job),
    created_on: job.createdAt,
    start_after: job.startAfter,
    started_on: job.attempts > 0 ? (job.startedAt ?? job.createdAt) : undefined,
    completed_on: job.finishedAt,
    output: { ...result, failure, worker, progress, history },
  };
}
