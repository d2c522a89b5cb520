/**
 * A server for us alone: of a stage, a scratch cluster, an old cluster. It listens on no address, and its socket lies
 * in a folder that only root and the database's user may enter, so nobody else ever sees it.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { runTool, type ToolResult } from '../system/commands.ts';
import type { Identity } from '../system/users.ts';
import type { PostgresBinaries } from './binaries.ts';
import { openSession, type Session, TRUSTED_PATH } from './connect.ts';
import { makeOwned } from './initdb.ts';
import { MAINTENANCE_DATABASE, SUPERUSER } from './layout.ts';
import { nameOurselves } from './nss-wrapper.ts';
import { PRIVATE_PORT as PORT, PRIVATE } from './private-socket.ts';
import { canUsePeer } from './system-user.ts';

export interface PrivateServerOptions {
  /** The folder of the cluster. */
  readonly folder: string;
  readonly binaries: PostgresBinaries;
  readonly user: Identity;
  /** Where its socket's folder is made, e.g. `Layout.sockets`; short, for the whole path must fit into 107 bytes. */
  readonly parent: string;
  /**
   * `scratch`: nothing is synced, a crash costs the cluster; `staged`: the same, but stopped so that it can be used once
   * its files are synced; `durable`: as the real one.
   */
  readonly care: 'scratch' | 'staged' | 'durable';
  /** The bootstrap superuser of the cluster; ours if undefined. */
  readonly superuser?: string | undefined;
  /** Only where peer authentication cannot be. */
  readonly superuserPassword?: string | undefined;
  /** Roles besides the superuser that we want to be; with peer authentication no password is asked for. */
  readonly roles?: readonly string[];
  /** Beat all others. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What a lock file names that is no postmaster, see database/stale-server.ts. */
  readonly stalePid?: number | undefined;
  readonly signal: AbortSignal;
  /** Each line of its log. */
  readonly onLine?: (line: string) => void;
}

export interface PrivateServer {
  readonly socketDir: string;
  readonly port: number;
  /** A session as the superuser, or as another role. The caller ends it. */
  connect(database?: string, role?: { readonly user: string; readonly password: string }): Promise<Session>;
  /** PostgreSQL's fast stop, then the immediate one; a scratch server is stopped at once. Never rejects. */
  stop(): Promise<void>;
}

const READY = 'database system is ready to accept connections';
const FAST_STOP_MS = 60_000;

/**
 * Resolves when it accepts connections and recovery is over. Throws a Failure with the server's own words where it
 * does not come so far. An abort stops it.
 */
export async function startPrivateServer(options: PrivateServerOptions): Promise<PrivateServer> {
  const { binaries, user, superuser = SUPERUSER, signal } = options;
  signal.throwIfAborted();
  const socketDir = join(options.parent, `${PRIVATE}${randomBytes(3).toString('hex')}`);
  makeOwned(socketDir, user);
  const files = writeAccess(socketDir, [superuser, ...(options.roles ?? [])], user);
  const settings = {
    ...COMMON,
    ...(options.care === 'durable' ? {} : SCRATCH),
    ...options.settings,
    ...files,
    unix_socket_directories: `"${socketDir}"`,
  };
  let send: (signal: NodeJS.Signals) => void = () => undefined;
  let tellReady: () => void = () => undefined;
  const ready = new Promise<'ready'>((resolve) => {
    tellReady = () => resolve('ready');
  });
  const ended = runTool(
    [
      join(binaries.bin, 'postgres'),
      '-D',
      options.folder,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    {
      env: {
        PATH: process.env.PATH,
        TZ: 'UTC',
        ...binaries.env,
        ...nameOurselves(user, socketDir),
        PG_GRANDPARENT_PID: options.stalePid === undefined ? undefined : String(options.stalePid),
      },
      identity: user,
      onStart: (give) => {
        send = give;
      },
      onLine: (line) => {
        options.onLine?.(line);
        if (line.includes(READY)) tellReady();
      },
    },
  );
  const stop = async (): Promise<void> => {
    send(options.care === 'scratch' ? 'SIGQUIT' : 'SIGINT');
    const timer = setTimeout(() => send('SIGQUIT'), FAST_STOP_MS);
    await ended;
    clearTimeout(timer);
    rmSync(socketDir, { recursive: true, force: true });
  };
  const onAbort = (): void => void stop();
  signal.addEventListener('abort', onAbort, { once: true });
  void ended.then(() => signal.removeEventListener('abort', onAbort));
  const outcome = await Promise.race([ready, ended]);
  if (outcome !== 'ready') {
    rmSync(socketDir, { recursive: true, force: true });
    signal.throwIfAborted();
    throw new Failure(
      `cannot start PostgreSQL ${binaries.major} on ${options.folder}: ${lastWords(outcome)}`,
    );
  }
  return {
    socketDir,
    port: PORT,
    connect: (database = MAINTENANCE_DATABASE, role) =>
      openSession(
        {
          host: socketDir,
          port: PORT,
          user: role?.user ?? superuser,
          password: role?.password ?? options.superuserPassword,
          database,
        },
        role ? undefined : TRUSTED_PATH,
      ),
    stop,
  };
}

const COMMON: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  max_connections: '30',
  shared_buffers: '64MB',
  maintenance_work_mem: '64MB',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_line_prefix: '',
  log_timezone: 'UTC',
  lc_messages: 'C',
  // What belongs to the life of the real server must not happen a second time.
  archive_mode: 'off',
  shared_preload_libraries: '',
};

/** For a cluster that nobody needs after a crash. */
const SCRATCH: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '1GB',
  autovacuum: 'off',
};

function writeAccess(folder: string, roles: readonly string[], user: Identity): Record<string, string> {
  const peer = canUsePeer(user);
  const hba = join(folder, 'hba.conf');
  const ident = join(folder, 'ident.conf');
  writeFileSync(hba, `local all all ${peer ? 'peer map=private' : 'scram-sha-256'}\n`);
  const lines = ['root', user.name].flatMap((who) => roles.map((role) => `private "${who}" "${role}"\n`));
  writeFileSync(ident, peer ? lines.join('') : '');
  return { hba_file: hba, ident_file: ident };
}

/** The first of its errors: what follows it is its consequence. */
function lastWords(result: ToolResult): string {
  const lines = result.stderr.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.filter((line) => /^(FATAL|PANIC|postgres:)/.test(line));
  return (telling.length > 0 ? telling.slice(0, 2) : lines.slice(-2)).join('; ') || (result.message ?? '');
}
