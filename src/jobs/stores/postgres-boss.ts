/** pg-boss as we use it: its schema, its migrations, its queues and its way in. Nothing of it runs by the clock. */
import { PgBoss } from 'pg-boss';
import { codeOf, Failure, messageOf } from '../../base/errors.ts';
import { unhurried } from '../../postgres/jobs-session.ts';
import type { SessionPool } from '../../postgres/session-pool.ts';
import type { NewJob } from '../store.ts';
import { dataColumn, singletonColumn } from './postgres-job.ts';
import { SCHEMA, SCHEMA_EXISTS, TABLES } from './postgres-sql.ts';

/** A migration of a large table takes longer than any question. */
const MIGRATION_MS = 10 * 60_000;
const DAY_SECONDS = 86_400;
/** unique_violation of the catalogue, duplicate_schema. */
const MADE_MEANWHILE: ReadonlySet<string> = new Set(['23505', '42P06']);

/**
 * Opens it in a database: makes the schema where it is missing, and migrates. What pg-boss does by itself every minute
 * is off, because it would do it by its own rules: it ends active jobs after 15 minutes, deletes, counts, and fires
 * crons. What is left on is the finishing of its own migrations (`bam`), once a day.
 */
export async function openBoss(pool: SessionPool, note: (text: string) => void): Promise<PgBoss> {
  await makeSchema(pool);
  const boss = new PgBoss({
    schema: SCHEMA,
    createSchema: false,
    supervise: false,
    schedule: false,
    queueCacheIntervalSeconds: DAY_SECONDS,
    bamIntervalSeconds: DAY_SECONDS,
    db: {
      executeSql: (text, values) =>
        pool.within((ask) => unhurried(ask, () => ask<Record<string, unknown>>(text, values)), MIGRATION_MS),
    },
  });
  // Without a listener, an error of one of its timers would end the process.
  boss.on('error', (error) => note(`the queue in PostgreSQL: ${messageOf(error)}`));
  try {
    await boss.start();
    await pool.within((ask) => unhurried(ask, () => ask(TABLES)), MIGRATION_MS);
  } catch (error) {
    await closeBoss(boss);
    throw error;
  }
  return boss;
}

export async function closeBoss(boss: PgBoss): Promise<void> {
  await boss.stop({ graceful: false, close: false }).catch(() => undefined);
}

/** Of the policy that makes a singleton key single while a job of it is not finished. */
export async function makeQueue(boss: PgBoss, type: string): Promise<void> {
  await boss.createQueue(type, { policy: 'exclusive' });
}

/** Whether it was new: false where its id or its key is there. */
export async function insertJob(boss: PgBoss, pool: SessionPool, job: NewJob): Promise<boolean> {
  const ids = await boss.insert(
    job.type,
    [
      {
        id: job.id,
        data: dataColumn(job),
        priority: job.priority,
        retryLimit: job.maxAttempts - 1,
        singletonKey: singletonColumn(job),
        ...(job.startAfter ? { startAfter: job.startAfter.toISOString() } : {}),
      },
    ],
    // Its own way in is that of migrations.
    { returnId: true, db: { executeSql: (text, values) => pool.query(text, values) } },
  );
  return ids !== null && ids.length > 0;
}

/** Only where it is missing: in somebody else's database a schema made for us is all we need. */
async function makeSchema(pool: SessionPool): Promise<void> {
  const { rows } = await pool.query(SCHEMA_EXISTS);
  if (rows.length > 0) return;
  try {
    await pool.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
  } catch (cause) {
    // IF NOT EXISTS looks before it writes: a worker that started with us has made it meanwhile.
    if (MADE_MEANWHILE.has(codeOf(cause) ?? '')) return;
    throw new Failure(`cannot make the schema ${SCHEMA} for the jobs: ${messageOf(cause)}`, {
      remedy: `there, as its owner: CREATE SCHEMA ${SCHEMA} AUTHORIZATION <the user of DATABASE_URL>`,
      cause,
    });
  }
}
