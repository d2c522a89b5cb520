/** What is asked of all jobs at once: lists, counts, what is over, and what another store hands over. */
import type { Ask, SessionPool } from '../../postgres/session-pool.ts';
import type { JobList, JobState } from '../../protocol/jobs.ts';
import {
  type JobRecord,
  type ListFilter,
  type StoreLimits,
  StoreRefusal,
  type SweepResult,
  type TypeCounts,
} from '../store.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { adoptedRow, type JobRow, jsonbOf, recordOf, textOf } from './postgres-job.ts';
import * as sql from './postgres-sql.ts';
import { emptyCounts, LEASE_LOST, notAdopted } from './words.ts';

type Pool = Pick<SessionPool, 'query' | 'transaction'>;

/** Rows that one statement changes at most, so that none holds its locks for long. */
const BATCH = 1000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What is no UUID is no job of ours. */
export async function findJob(pool: Pool, id: string): Promise<JobRecord | undefined> {
  if (!UUID.test(id)) return undefined;
  const { rows } = await pool.query<JobRow>(sql.GET, [id]);
  return rows[0] && recordOf(rows[0]);
}

export async function listJobs(pool: Pool, { states, type, limit, cursor }: ListFilter): Promise<JobList> {
  const [time, id] = cursor === undefined ? [null, null] : readCursor(cursor, ['string', 'string']);
  if (time !== null && !(/^\d{1,18}$/.test(String(time)) && UUID.test(String(id))))
    throw new StoreRefusal('bad-cursor', 'cannot go on with the list: the cursor is not of this store');
  const values = [states ?? null, type ?? null, time, id, limit + 1];
  const { rows } = await pool.query<JobRow>(sql.LIST, values);
  const last = rows[limit - 1];
  return {
    jobs: rows.slice(0, limit).map(recordOf),
    ...(rows.length > limit && last ? { cursor: writeCursor([last.created_us, last.id]) } : {}),
  };
}

interface CountRow {
  readonly name: string;
  readonly state: JobState;
  readonly count: number;
  readonly oldest: Date | null;
}

export async function countJobs(pool: Pool): Promise<Record<string, TypeCounts>> {
  const { rows } = await pool.query<CountRow>(sql.COUNTS);
  const found: Record<string, { counts: Record<JobState, number>; oldestQueuedAt?: string }> = {};
  for (const { name, state, count, oldest } of rows) {
    const type = found[name] ?? { counts: emptyCounts() };
    found[name] = type;
    type.counts[state] = count;
    const since = oldest?.toISOString();
    // Of those that wait for the first time and those that wait again.
    if (since !== undefined && since < (type.oldestQueuedAt ?? '9')) type.oldestQueuedAt = since;
  }
  return found;
}

/** `dead`: a worker whose leases are over as well. */
export async function expireLeases(pool: Pool, dead: string | undefined): Promise<SweepResult['expired']> {
  const lost = jsonbOf({ failure: LEASE_LOST });
  const values = [lost, dead === undefined ? null : textOf(dead)];
  const { rows } = await pool.query<{ id: string; name: string; state: JobState }>(sql.EXPIRE, values);
  return rows.map(({ id, name, state }) => ({ id, type: name, state }));
}

/** Resolves to their number. */
export async function dropOutlived(pool: Pool, keep: StoreLimits['keep']): Promise<number> {
  let removed = 0;
  for (let batch = BATCH; batch === BATCH; removed += batch) {
    const values = [keep.completedMs, keep.failedMs, keep.most, BATCH];
    batch = (await pool.query(sql.OUTLIVED, values)).rowCount ?? 0;
  }
  return removed;
}

/** Their queues must be there. */
export async function adoptJobs(pool: Pool, jobs: readonly JobRecord[]): Promise<void> {
  for (let at = 0; at < jobs.length; at += BATCH)
    await pool.transaction((ask) => adoptBatch(ask, jobs.slice(at, at + BATCH)));
}

async function adoptBatch(ask: Ask, jobs: readonly JobRecord[]): Promise<void> {
  await ask(sql.ADOPT, [jsonbOf(jobs.map(adoptedRow))]);
  const ids = [jobs.map(({ id }) => id), jobs.map(({ type }) => type)];
  const present = new Set((await ask<{ id: string }>(sql.PRESENT, ids)).rows.map(({ id }) => id));
  // Another has the key: kept all the same, and nothing that was told to be safe is gone without a word.
  const kept = jobs.filter(({ id }) => !present.has(id));
  if (kept.length === 0) return;
  const finishedAt = new Date().toISOString();
  const rows = kept.map((job) =>
    adoptedRow({ ...job, state: 'cancelled', finishedAt, failure: notAdopted(job.type) }),
  );
  await ask(sql.ADOPT, [jsonbOf(rows)]);
}
