/** As whom a dump is taken: of our own server as the superuser, of one that is not ours as the application's role. */
import type { Socket } from 'node:net';
import type { DatabasePlan, ExternalServer } from '../config/plan.ts';
import type { PostgresBinaries } from '../postgres/binaries.ts';
import { connectAsApp, connectAsSuperuser, type Server, type Session } from '../postgres/connect.ts';
import { libpqEnvironment } from '../postgres/libpq-environment.ts';
import { asSuperuser } from './postgres-place.ts';

export interface ToolLogin {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The caller ends it. */
export function connectToDump(server: Server, database: string): Promise<Session> {
  return server.external ? connectAsApp(server, database) : connectAsSuperuser(server, database);
}

/** Limits that servers set for everybody would end a session that holds a snapshot for as long as a dump takes. */
export async function liftLimits(session: Session): Promise<void> {
  await session.query(
    `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
      WHERE name IN ('statement_timeout', 'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')`,
  );
}

/** For a tool that is to see what `session` sees; no password stands in argv. */
export function toolLogin(
  session: Session,
  server: Server,
  binaries: PostgresBinaries,
  plan: DatabasePlan,
): ToolLogin {
  if (!server.external) return asSuperuser(server, binaries);
  const { HOME, PATH = '' } = process.env;
  return {
    argv: ['--no-password'],
    env: {
      PATH,
      LC_ALL: 'C',
      PGCONNECT_TIMEOUT: '15',
      ...binaries.env,
      ...libpqEnvironment(onlyWhere(session, server.external), plan),
      PGAPPNAME: 'bulkhead backup',
      // Where libpq looks for certificates that the URL does not name.
      ...(HOME === undefined ? {} : { HOME }),
    },
  };
}

/** Of several hosts, and several addresses of a name, the one the session is with: a snapshot is known there alone. */
function onlyWhere(session: Session, server: ExternalServer): ExternalServer {
  const { host, port } = session;
  const found = server.hosts.find((each) => each.address === host && each.port === port);
  if (!found) return server;
  const { stream } = session.connection as unknown as { readonly stream: Socket };
  return { ...server, hosts: [{ ...found, address: stream.remoteAddress ?? found.address }] };
}
