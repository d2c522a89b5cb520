/**
 * The program `check-database`: whether the database does its work, shown by letting it work. A port that accepts
 * connections says little of a server whose disk is full, or which waits for a lock that nobody gives back.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../base/duration.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import {
  connectAsApp,
  connectAsSuperuser,
  type Server,
  type Session,
  serverOf,
} from '../postgres/connect.ts';
import { layoutOf } from '../postgres/layout.ts';
import type { Job } from '../program/job.ts';
import type { DatabaseCheck } from '../protocol/database-check.ts';
import { freeBytes } from '../system/files.ts';

/** Of each step. ms */
const PATIENCE = 20_000;

/** Never fails because of what it found: that is its answer. */
export async function runCheckDatabase(job: Job): Promise<void> {
  const server = serverOf(job.assignment, job.plan);
  const tried: readonly (readonly [string, () => Promise<string>])[] = [
    ['query', () => query(server, job.plan.name)],
    ['write', () => (server.external ? writeTemporary(server, job.plan.name) : writeAndRead(server))],
    ['disk', async () => measureDisk(job)],
  ];
  const steps: DatabaseCheck['steps'][number][] = [];
  for (const [what, act] of tried) {
    try {
      steps.push({ what, ok: true, text: await inTime(act) });
    } catch (error) {
      steps.push({ what, ok: false, text: messageOf(error) });
    }
  }
  job.report({ type: 'result', value: { steps } satisfies DatabaseCheck });
}

/** As the application, in its database. */
async function query(server: Server, database: string): Promise<string> {
  const began = performance.now();
  await within(connectAsApp(server, database), (app) => app.query('SELECT 1'));
  return `answered in ${took(began)}`;
}

/**
 * In a row of our own, beside the ledger, so that the application's database and its dumps stay as they are. Read by
 * another session than the one that wrote it.
 */
async function writeAndRead(server: Server): Promise<string> {
  const began = performance.now();
  const written = randomUUID();
  await within(connectAsSuperuser(server), async (session) => {
    await session.query(
      `CREATE TABLE IF NOT EXISTS bulkhead.health_check (
         one boolean PRIMARY KEY DEFAULT true CHECK (one), written uuid NOT NULL, at timestamptz NOT NULL)`,
    );
    await session.query(
      `INSERT INTO bulkhead.health_check (written, at) VALUES ($1, now())
         ON CONFLICT (one) DO UPDATE SET written = excluded.written, at = excluded.at`,
      [written],
    );
  });
  const { rows } = await within(connectAsSuperuser(server), (session) =>
    session.query<{ written: string }>('SELECT written FROM bulkhead.health_check'),
  );
  // Where somebody else asks at the same time, theirs is as good.
  if (rows[0] === undefined) throw new Failure('cannot read what was written: the row is gone');
  return `written and read back in ${took(began)}`;
}

/** Elsewhere nothing is ours to write in, but a server that only reads refuses this too. */
async function writeTemporary(server: Server, database: string): Promise<string> {
  const began = performance.now();
  await within(connectAsApp(server, database), async (app) => {
    const { rows } = await app.query<{ off: string }>(
      `SELECT current_setting('transaction_read_only') AS off`,
    );
    if (rows[0]?.off === 'on') throw new Failure('cannot write: the server takes no writes now');
    await app.query('BEGIN');
    await app.query('SELECT pg_catalog.pg_current_xact_id()');
    await app.query('ROLLBACK');
  });
  return `takes writes, asked in ${took(began)}`;
}

function measureDisk({ assignment, backups, plan }: Job): string {
  const layout = layoutOf(assignment.dataDir, assignment.runDir);
  const free = freeBytes(plan.external ? assignment.dataDir : layout.pg);
  const floor = backups.diskFloor;
  if (free < floor) {
    throw new Failure(
      `only ${formatSize(free)} of the disk are free, and ${formatSize(floor)} should be (backups.disk_floor)`,
    );
  }
  return `${formatSize(free)} free`;
}

async function within<T>(opened: Promise<Session>, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await opened;
  try {
    await session.query(`SET statement_timeout = ${PATIENCE}`);
    return await use(session);
  } finally {
    await session.end();
  }
}

async function inTime(act: () => Promise<string>): Promise<string> {
  const stop = new AbortController();
  const late = delay(PATIENCE, undefined, { signal: stop.signal }).then(() => {
    throw new Failure(`no answer within ${formatDuration(PATIENCE)}`);
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    stop.abort();
    late.catch(() => undefined);
  }
}

function took(began: number): string {
  return `${Math.max(1, Math.round(performance.now() - began))} ms`;
}
