/** Sessions with a server that is not ours: each host in turn, encrypted as its URL asks, and told apart when it fails. */
import pg from 'pg';
import { Failure, messageOf } from '../base/errors.ts';
import { nameServer } from '../config/external-url.ts';
import type { ExternalServer } from '../config/plan.ts';
import { ConnectFailure, explainConnect } from './explain-connect.ts';
import { type TlsTry, tlsTries } from './tls.ts';

export interface ExternalLogin {
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
}

/** libpq waits for ever by default; nobody here does. */
const CONNECT_TIMEOUT_MS = 15_000;

/** Throws a ConnectFailure that says whether waiting can help. The caller ends the session. */
export async function openExternalSession(server: ExternalServer, login: ExternalLogin): Promise<pg.Client> {
  let first: ConnectFailure | undefined;
  for (const host of server.hosts) {
    try {
      const session = await connectTo(server, host, login);
      // As target_session_attrs=read-write: what we do there is writing.
      if (server.hosts.length === 1 || !(await isStandby(session))) return session;
      await session.end();
      first ??= new ConnectFailure('away', `${host.host} is a standby and takes no writes`);
    } catch (error) {
      if (!(error instanceof ConnectFailure)) throw error;
      first ??= error;
      // Who refuses us speaks for the others, as in libpq.
      if (error.kind === 'refused') break;
    }
  }
  throw first ?? new Failure(`cannot connect to ${nameServer(server)}: it names no host`);
}

async function connectTo(
  server: ExternalServer,
  host: ExternalServer['hosts'][number],
  login: ExternalLogin,
): Promise<pg.Client> {
  let failure: ConnectFailure | undefined;
  for (const tls of tlsTries(server.parameters, host.host)) {
    try {
      return await tryOnce(server, host, login, tls);
    } catch (error) {
      const explained = explainConnect(error, { server, host, login });
      // Nobody listens there, or the password is wrong: that is so with and without encryption.
      if (explained.kind === 'away' || explained.isPassword) throw explained;
      failure ??= explained;
    }
  }
  throw failure ?? new Failure('internal error: no way to connect was tried');
}

async function tryOnce(
  { parameters }: ExternalServer,
  { address, port }: ExternalServer['hosts'][number],
  { user, password, database }: ExternalLogin,
  tls: TlsTry,
): Promise<pg.Client> {
  const binds = parameters.channel_binding === 'require';
  let isBound = false;
  const session = new pg.Client({
    host: address,
    port,
    user,
    database,
    // A function, because pg would look for PGPASSWORD and ~/.pgpass where it is given nothing.
    password: () => {
      if (binds && !isBound)
        throw new ConnectFailure('refused', 'it offers no channel binding, which the URL requires');
      return password ?? '';
    },
    ssl: tls === false ? false : { ...tls },
    ...(parameters.sslnegotiation === 'direct' ? { sslnegotiation: 'direct' as const } : {}),
    enableChannelBinding: binds,
    options: parameters.options,
    application_name: 'bulkhead',
    keepAlive: parameters.keepalives !== '0',
    connectionTimeoutMillis: Number(parameters.connect_timeout) * 1000 || CONNECT_TIMEOUT_MS,
  });
  // Without a listener, a server that goes away between two queries would end the process.
  session.on('error', () => undefined);
  session.connection.on('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
    isBound = mechanisms.includes('SCRAM-SHA-256-PLUS');
  });
  await session.connect();
  if (binds && !isBound) {
    await session.end();
    throw new ConnectFailure(
      'refused',
      'it asked for no password, so no channel was bound, which the URL requires',
    );
  }
  return session;
}

async function isStandby(session: pg.Client): Promise<boolean> {
  const { rows } = await session.query<{ standby: boolean }>(
    'SELECT pg_catalog.pg_is_in_recovery() AS standby',
  );
  return rows[0]?.standby === true;
}

/** The words of a connection that broke while it was used: what was begun is undone, and may be begun again. */
export function isConnectionLost(error: unknown): boolean {
  let cause: unknown = error;
  while (cause instanceof Error) {
    const code = 'code' in cause ? String(cause.code) : '';
    if (/^(08...|57P0[1-4]|ECONNRESET|EPIPE|ETIMEDOUT)$/.test(code)) return true;
    if (
      /Connection terminated|Client has encountered a connection error|connection error/i.test(
        messageOf(cause),
      )
    )
      return true;
    if (cause instanceof ConnectFailure) return cause.kind === 'away';
    cause = cause.cause;
  }
  return false;
}
