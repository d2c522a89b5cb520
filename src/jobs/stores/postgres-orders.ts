/** What people order of jobs that are there: cancel, run anew, take away. */
import { codeOf } from '../../base/errors.ts';
import type { SessionPool } from '../../postgres/session-pool.ts';
import type { JobState } from '../../protocol/jobs.ts';
import { type NewJob, StoreAway } from '../store.ts';
import { findJob } from './postgres-asks.ts';
import { UNIQUE_VIOLATION } from './postgres-away.ts';
import { singletonColumn } from './postgres-job.ts';
import * as sql from './postgres-sql.ts';
import { singletonTaken } from './words.ts';

type Pool = Pick<SessionPool, 'query' | 'transaction'>;

/** A race with others is run again; each time somebody has won. */
export const TRIES = 5;

const UNFINISHED: ReadonlySet<JobState> = new Set<JobState>(['created', 'retry', 'active']);

export async function cancelJob(
  pool: Pool,
  id: string,
): Promise<'cancelled' | 'asked' | 'finished' | 'unknown'> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const job = await findJob(pool, id);
    if (!job) return 'unknown';
    if (!UNFINISHED.has(job.state)) return 'finished';
    if (await changes(pool, sql.CANCEL_WAITING, [id, job.type])) return 'cancelled';
    if (await changes(pool, sql.CANCEL_ACTIVE, [id])) return 'asked';
  }
  throw new StoreAway('cannot cancel the job: it changes all the time');
}

/** @throws StoreRefusal `singleton` */
export async function retryJob(pool: Pool, id: string): Promise<'retried' | 'not-finished' | 'unknown'> {
  const job = await findJob(pool, id);
  if (!job) return 'unknown';
  try {
    return (await changes(pool, sql.RETRY, [id, job.type])) ? 'retried' : 'not-finished';
  } catch (error) {
    if (codeOf(error) !== UNIQUE_VIOLATION) throw error;
    throw singletonTaken(job.type, await findHolder(pool, job));
  }
}

export async function removeJob(pool: Pool, id: string): Promise<'removed' | 'active' | 'unknown'> {
  const job = await findJob(pool, id);
  if (!job) return 'unknown';
  return (await changes(pool, sql.REMOVE, [id, job.type])) ? 'removed' : 'active';
}

/** Resolves to their number. */
export async function redriveJobs(pool: Pool, type: string | undefined): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      return (await pool.query(sql.REDRIVE, [type ?? null])).rowCount ?? 0;
    } catch (error) {
      // Somebody took a key in between.
      if (codeOf(error) !== UNIQUE_VIOLATION) throw error;
    }
  }
  throw new StoreAway('cannot redrive: others of the same keys come and go');
}

/** The id of the job that has the key of this one. */
export async function findHolder(
  pool: Pool,
  job: Pick<NewJob, 'type' | 'singletonKey'>,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ id: string }>(sql.HOLDER, [job.type, singletonColumn(job)]);
  return rows[0]?.id;
}

/** Whether the statement changed anything. */
export async function changes(pool: Pool, text: string, values: readonly unknown[]): Promise<boolean> {
  return ((await pool.query(text, values)).rowCount ?? 0) > 0;
}
