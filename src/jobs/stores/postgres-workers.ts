/** Who works on the queue, as long as they say so. */
import type { SessionPool } from '../../postgres/session-pool.ts';
import type { WorkerPresence } from '../store.ts';
import { textOf } from './postgres-job.ts';
import * as sql from './postgres-sql.ts';
import { WORKER_SILENT_MS } from './words.ts';

type Pool = Pick<SessionPool, 'query'>;

/** @param word for whoever listens */
export async function noteWorker(
  pool: Pool,
  { id, host, active }: WorkerPresence,
  word: string,
): Promise<void> {
  await pool.query(sql.BEAT, [textOf(id), textOf(host), active, word]);
}

export async function listWorkers(pool: Pool): Promise<(WorkerPresence & { seenAt: string })[]> {
  const { rows } = await pool.query<WorkerPresence & { seen_at: Date }>(sql.WORKERS, [WORKER_SILENT_MS]);
  return rows.map(({ id, host, active, seen_at }) => ({ id, host, active, seenAt: seen_at.toISOString() }));
}
