/** Sessions of the worker with the place of the queue. */
import { Failure } from '../base/errors.ts';
import { openSession, type Server, type Session } from './connect.ts';
import { openExternalSession } from './external-session.ts';
import { isJobsDatabaseReady } from './jobs-ready.ts';
import { JOBS_DATABASE } from './layout.ts';
import type { Ask } from './session-pool.ts';

/** As the server shows it. Who asked has given up by then; without it the statement would go on for nobody. */
const STATEMENT_TIMEOUT = '10s';
/** A server that says no more once it has let us in: nobody may end a session he does not have yet. */
const SILENT_MS = 10_000;

/**
 * Only where the backend is the one that greeted us: behind a pooler a session's setting would be that of whoever gets
 * the backend next.
 */
const LIMIT = `SELECT pg_catalog.set_config('statement_timeout', '${STATEMENT_TIMEOUT}', false)
  WHERE pg_catalog.pg_backend_pid() = $1`;
const LIFT = `SELECT pg_catalog.set_config('statement_timeout', '0', false)
  WHERE pg_catalog.current_setting('statement_timeout') = '${STATEMENT_TIMEOUT}'`;
const RESTORE = `SELECT pg_catalog.set_config('statement_timeout', '${STATEMENT_TIMEOUT}', false)`;

/**
 * In our own cluster as the role of the queue in its database; in a server that is not ours as the application's user, in
 * the application's database. No statement of it lasts longer than 10 s, but see `unhurried`.
 * @param supervisor whose set-up must have made it: ours
 * @throws Failure, ConnectFailure where it cannot be had; `database-away` before the set-up has made it
 */
export async function openJobsSession(
  server: Pick<Server, 'external' | 'socketDir' | 'port' | 'appUser' | 'appPassword'>,
  database: string,
  jobsPassword: string | undefined,
  supervisor: number = process.ppid,
): Promise<Session> {
  const { external, socketDir: host, port, appUser: user, appPassword: password } = server;
  // A knock before would be a FATAL in the server's log at every first boot.
  if (!external && !isJobsDatabaseReady(host, supervisor)) {
    throw new Failure('the set-up has not made the database of the queue yet', { code: 'database-away' });
  }
  const session = external
    ? await openExternalSession(external, { user, password, database })
    : await openSession({ host, port, user: JOBS_DATABASE, password: jobsPassword, database: JOBS_DATABASE });
  const timer = setTimeout(() => session.connection.stream.destroy(), SILENT_MS);
  try {
    await session.query(LIMIT, [(session as { processID?: number | null }).processID ?? null]);
    return session;
  } catch (error) {
    session.end().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Work of such a session whose statements may take as long as they take: a migration. Where it fails, drop the session. */
export async function unhurried<T>(ask: Ask, work: () => Promise<T>): Promise<T> {
  const { rows } = await ask(LIFT);
  const result = await work();
  if (rows.length > 0) await ask(RESTORE);
  return result;
}
