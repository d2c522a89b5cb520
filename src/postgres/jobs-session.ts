/** Sessions of the worker with the place of the queue. */
import { openSession, type Server, type Session } from './connect.ts';
import { openExternalSession } from './external-session.ts';
import { JOBS_DATABASE } from './layout.ts';

/**
 * In our own cluster as the role of the queue in its database; in a server that is not ours as the application's user, in
 * the application's database. @throws Failure, ConnectFailure where it cannot be had
 */
export function openJobsSession(
  server: Pick<Server, 'external' | 'socketDir' | 'port' | 'appUser' | 'appPassword'>,
  database: string,
  jobsPassword: string | undefined,
): Promise<Session> {
  const { external, socketDir: host, port, appUser: user, appPassword: password } = server;
  if (external) return openExternalSession(external, { user, password, database });
  return openSession({ host, port, user: JOBS_DATABASE, password: jobsPassword, database: JOBS_DATABASE });
}
