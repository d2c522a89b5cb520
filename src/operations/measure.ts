/**
 * The program `measure`: figures of the database and of the backups, for `/metrics`. It changes nothing, and goes on
 * until nobody wants them any more, with one session that it keeps: a process and a session each minute cost more than
 * all else that an idle product does.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listBackups } from '../backups/list-backups.ts';
import { connectAsApp, connectAsSuperuser, type Session, serverOf } from '../postgres/connect.ts';
import type { Job } from '../program/job.ts';
import { BACKUP_KINDS, isProven } from '../protocol/backups.ts';
import type { BackupFigures, DatabaseFigures, Measures } from '../protocol/metrics.ts';

const EVERY_MS = 60_000;
/** A server that does not answer within this is told as one that is away. */
const PATIENCE_MS = 30_000;
/** After an hour another one takes over: what a process gathers in a year is nobody's to find out. */
const MOST_ROUNDS = 60;

export async function runMeasure(job: Job): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([job.signal, over.signal]);
  // Whoever asked for it may be gone, and PID 1 with him.
  job.hear(
    () => undefined,
    () => over.abort(),
  );
  const database = new KeptSession(job);
  try {
    for (let round = 0; round < MOST_ROUNDS && !signal.aborted; round += 1) {
      if (round > 0) await sleep(EVERY_MS, undefined, { signal });
      const figures = await orNothing(database.read());
      const backups = await orNothing(readBackups(job));
      const value: Measures = { ...(figures && { database: figures }), ...(backups && { backups }) };
      job.report({ type: 'result', value });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    database.drop();
  }
}

/** What cannot be had is left out: that it is missing says enough. */
async function orNothing<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  return asked.catch(() => undefined);
}

/** One that broke, or was asked in vain, is never asked again. */
class KeptSession {
  readonly #job: Job;
  #session: Session | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  async read(): Promise<DatabaseFigures> {
    const late = new AbortController();
    const tooLate = sleep(PATIENCE_MS, undefined, { signal: late.signal, ref: false }).then(() => {
      throw new Error('it did not answer in time');
    });
    try {
      return await Promise.race([this.#read(), tooLate]);
    } catch (error) {
      this.drop();
      throw error;
    } finally {
      late.abort();
      tooLate.catch(() => undefined);
    }
  }

  drop(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.end().catch(() => undefined);
    session?.connection.stream.destroy();
  }

  async #read(): Promise<DatabaseFigures> {
    const kept = this.#session;
    if (kept !== undefined) {
      try {
        return await this.#ask(kept);
      } catch {
        // It says nothing of the server, which may have been started anew: that is asked by a session of its own.
        this.drop();
      }
    }
    return this.#ask(await this.#open());
  }

  async #ask(session: Session): Promise<DatabaseFigures> {
    const { name, external } = this.#job.plan;
    const figures = await readFigures(session, name);
    return external ? figures : { ...figures, archive: await readArchive(session) };
  }

  async #open(): Promise<Session> {
    const { assignment, plan } = this.#job;
    const server = serverOf(assignment, plan);
    const session = server.external
      ? await connectAsApp(server, plan.name)
      : await connectAsSuperuser(server);
    // Lost while nobody asks: found out by the next question.
    session.on('error', () => undefined);
    this.#session = session;
    return session;
  }
}

async function readFigures(session: Session, name: string): Promise<DatabaseFigures> {
  // Numbers of 64 bits come as text; as float8 they are numbers, and exact up to 2^53.
  const { rows } = await session.query<Omit<DatabaseFigures, 'sessions'>>(
    `SELECT pg_catalog.pg_database_size(d.datid)::float8 AS size,
            pg_catalog.current_setting('max_connections')::float8 AS "mostSessions",
            (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
              WHERE wait_event_type = 'Lock')::float8 AS "waitingForLocks",
            (SELECT coalesce(pg_catalog.max(extract(epoch FROM pg_catalog.clock_timestamp() - xact_start)), 0)
               FROM pg_catalog.pg_stat_activity
              WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid())::float8 AS "longestTransaction",
            blks_hit::float8 AS "blocksHit", blks_read::float8 AS "blocksRead",
            xact_commit::float8 AS commits, xact_rollback::float8 AS rollbacks,
            deadlocks::float8 AS deadlocks, temp_bytes::float8 AS "temporaryBytes"
       FROM pg_catalog.pg_stat_database d WHERE datname = $1`,
    [name],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`there is no database ${name}`);
  const sessions = await session.query<{ state: string; count: number }>(
    `SELECT CASE state WHEN 'active' THEN 'active' WHEN 'idle' THEN 'idle'
                       WHEN 'idle in transaction' THEN 'in_transaction'
                       WHEN 'idle in transaction (aborted)' THEN 'in_transaction' ELSE 'other' END AS state,
            pg_catalog.count(*)::float8 AS count
       FROM pg_catalog.pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid() GROUP BY 1`,
  );
  const none = { active: 0, idle: 0, in_transaction: 0, other: 0 };
  const found = Object.fromEntries(sessions.rows.map(({ state, count }) => [state, count]));
  return { ...row, sessions: { ...none, ...found } };
}

async function readArchive(session: Session): Promise<NonNullable<DatabaseFigures['archive']>> {
  const { rows } = await session.query<{ archived: number; failed: number; lastAt: number | null }>(
    `SELECT archived_count::float8 AS archived, failed_count::float8 AS failed,
            extract(epoch FROM last_archived_time)::float8 AS "lastAt" FROM pg_catalog.pg_stat_archiver`,
  );
  const { archived = 0, failed = 0, lastAt } = rows[0] ?? {};
  return { archived, failed, lastAt: lastAt ?? undefined };
}

async function readBackups(job: Job): Promise<readonly BackupFigures[]> {
  const { backups } = listBackups(join(job.assignment.dataDir, 'backups'));
  return BACKUP_KINDS.map((kind) => {
    const own = backups.filter((backup) => backup.kind === kind);
    const proven = own.filter(({ verified, broken }) => broken === undefined && isProven(verified));
    const [newest] = proven;
    return {
      kind,
      verified: proven.length,
      unverified: own.length - proven.length,
      newest: newest && { at: Date.parse(newest.startedAt) / 1000, size: newest.size },
    };
  });
}
