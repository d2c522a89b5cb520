/** One container at a time sets up or migrates a database that several use. */
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../base/duration.ts';
import { Failure } from '../base/errors.ts';
import { nameServer } from '../config/external-url.ts';
import type { Server, Session } from '../postgres/connect.ts';
import type { Job } from '../program/job.ts';
import { findPooler } from './pooler.ts';
import { waitForDatabase } from './wait-for-database.ts';

export interface SharedLock extends AsyncDisposable {
  /** The session that holds it; it may be used for short questions. */
  readonly session: Session;
}

/** Longer than a migration people wait for, and shorter than a night. */
const LONGEST_WAIT_MS = 15 * 60_000;
const ASK_AGAIN_MS = 1000;
const KEY = `pg_catalog.hashtextextended('bulkhead', 0)`;

/**
 * Waits for the server and then for the lock. It is the server's own, so it goes with our connection however we end.
 * @throws Failure where another container holds it for longer than anybody should
 */
export async function takeSharedLock(job: Job, server: Server): Promise<SharedLock> {
  const session = await waitForDatabase(job, server);
  try {
    const pooled = (await findPooler(session, server, job.plan.name)) === 'transaction';
    await keepIdle(session);
    await waitForTurn(job, server, () => (pooled ? tryInTransaction(session) : tryInSession(session)));
  } catch (error) {
    await session.end();
    throw error;
  }
  return {
    session,
    [Symbol.asyncDispose]: () => session.end(),
  };
}

/** Holding the lock is all this session does, and servers may end whoever does so little. */
async function keepIdle(session: Session): Promise<void> {
  await session.query(
    `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
      WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout')`,
  );
}

async function waitForTurn(job: Job, server: Server, attempt: () => Promise<boolean>): Promise<void> {
  const where = server.external ? nameServer(server.external) : 'this server';
  const started = performance.now();
  for (let asked = 0; !(await attempt()); asked += 1) {
    if (asked === 0) {
      const what = `waiting for another container that sets up or migrates ${job.plan.name} at ${where}`;
      job.report({ type: 'progress', progress: { what, percent: undefined, detail: undefined } });
      job.say(what);
    }
    if (performance.now() - started > LONGEST_WAIT_MS) {
      throw new Failure(
        `cannot set up ${job.plan.name} at ${where}: another container has been at it for ${formatDuration(LONGEST_WAIT_MS)}`,
        {
          remedy: `see there who it is: SELECT * FROM pg_stat_activity WHERE application_name LIKE 'bulkhead%'`,
        },
      );
    }
    await delay(ASK_AGAIN_MS, undefined, { signal: job.signal });
  }
}

async function tryInSession(session: Session): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_lock(${KEY}) AS locked`,
  );
  return rows[0]?.locked === true;
}

/** Behind a transaction pooler only an open transaction keeps its backend, and the lock with it. */
async function tryInTransaction(session: Session): Promise<boolean> {
  await session.query('BEGIN');
  const { rows } = await session.query<{ locked: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_xact_lock(${KEY}) AS locked,
            pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true)`,
  );
  if (rows[0]?.locked === true) return true;
  await session.query('ROLLBACK');
  return false;
}
