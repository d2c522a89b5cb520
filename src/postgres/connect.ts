/** Sessions with the server: over the socket of our own, or with the one that DATABASE_URL names. */
import pg from 'pg';
import { Failure, messageOf } from '../base/errors.ts';
import { nameServer } from '../config/external-url.ts';
import type { DatabasePlan, ExternalServer } from '../config/plan.ts';
import type { Assignment } from '../protocol/channel.ts';
import { openExternalSession } from './external-session.ts';
import { layoutOf, MAINTENANCE_DATABASE, SUPERUSER } from './layout.ts';
import { readSecret, SUPERUSER_PASSWORD } from './secrets.ts';

export interface Server {
  readonly socketDir: string;
  readonly port: number;
  /** Undefined: the system vouches for us. */
  readonly superuserPassword: string | undefined;
  readonly appUser: string;
  readonly appPassword: string;
  /** Not ours: then there is no socket and no superuser, and every session is the application's. */
  readonly external?: ExternalServer | undefined;
}

export type Session = pg.Client;

/** Throws a Failure where the application's password is not known. */
export function serverOf(assignment: Assignment, plan: DatabasePlan): Server {
  const layout = layoutOf(assignment.dataDir, assignment.runDir);
  if (plan.external) return externalServer(plan, plan.external, layout.sockets);
  const appPassword = plan.password ?? assignment.secrets.appPassword;
  if (appPassword === undefined || appPassword === '') {
    throw new Failure('cannot set up the application role: its password is unknown', {
      remedy: 'set the password in DATABASE_URL, or let the task `cluster` make one in /data/secrets',
    });
  }
  return {
    socketDir: layout.sockets,
    port: plan.port,
    superuserPassword: readOwnSecret(layout.secrets),
    appUser: plan.user,
    appPassword,
  };
}

function externalServer(plan: DatabasePlan, external: ExternalServer, socketDir: string): Server {
  return {
    socketDir,
    port: plan.port,
    superuserPassword: undefined,
    appUser: plan.user,
    appPassword: plan.password ?? '',
    external,
  };
}

/** A session as the superuser, in the maintenance database unless told otherwise. The caller ends it. */
export function connectAsSuperuser(
  server: Server,
  database: string = MAINTENANCE_DATABASE,
): Promise<Session> {
  if (server.external) {
    throw new Failure(`cannot be the superuser of ${nameServer(server.external)}: it is not ours`, {
      remedy: 'do it there, with the tools of that server',
    });
  }
  const who = { user: SUPERUSER, password: server.superuserPassword, database };
  return connect(server, who, TRUSTED_PATH);
}

/** A session whose session user is the application role: what RESET ROLE falls back to is still that role. */
export function connectAsApp(server: Server, database: string): Promise<Session> {
  const { external } = server;
  if (external) {
    return openExternalSession(external, { user: server.appUser, password: server.appPassword, database });
  }
  return connect(server, { user: server.appUser, password: server.appPassword, database });
}

function connect(
  server: Server,
  who: { readonly user: string; readonly password: string | undefined; readonly database: string },
  options?: typeof TRUSTED_PATH,
): Promise<Session> {
  return openSession({ host: server.socketDir, port: server.port, ...who }, options);
}

export interface SessionTarget {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
}

/**
 * For sessions of a superuser. An owner may set the search path of a database (`ALTER DATABASE … SET`), and put functions
 * and operators of its own before those we mean; what is said at the start of a session beats that.
 */
export const TRUSTED_PATH = '-c search_path=pg_catalog';

/** Throws a Failure where the server cannot be reached or lets us not in. The caller ends the session. */
export async function openSession(
  { password, ...who }: SessionTarget,
  options?: typeof TRUSTED_PATH,
): Promise<Session> {
  const session = new pg.Client({
    ...who,
    ...(options === undefined ? {} : { options }),
    // A function, because pg would look for PGPASSWORD and ~/.pgpass where it is given nothing.
    password: () => password ?? '',
    application_name: 'bulkhead',
    connectionTimeoutMillis: 30_000,
  });
  // Without a listener, a server that goes away between two queries would end the process.
  session.on('error', () => undefined);
  try {
    await session.connect();
  } catch (cause) {
    throw new Failure(`cannot connect to the database as ${who.user}: ${messageOf(cause)}`, { cause });
  }
  return session;
}

/** The folder is root's where we are not alone in the container, and then there is no such secret. */
function readOwnSecret(folder: string): string | undefined {
  try {
    return readSecret(folder, SUPERUSER_PASSWORD);
  } catch {
    return undefined;
  }
}
