/** The service `database`: clears what is stale, renders the configuration, and becomes postgres. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import { findBinaries } from '../postgres/binaries.ts';
import { type Cluster, findCluster } from '../postgres/find-cluster.ts';
import { readSystemIdentifier } from '../postgres/identity.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { readMachineSize } from '../postgres/machine-size.ts';
import { readControlFile } from '../postgres/pg-control.ts';
import { canUsePeer, databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { endOnSignal } from '../system/libc.ts';
import { becomeUser, type Identity } from '../system/users.ts';
import { archiveSettings } from '../wal/archive-settings.ts';
import { findRedoRange } from '../wal/log-end.ts';
import { prepareArchive } from '../wal/prepare-archive.ts';
import { renderHba, renderIdent, renderSettings } from './render-config.ts';
import { clearStale } from './stale-server.ts';
import { tuneServer } from './tuning.ts';
import { countUncleanStop } from './unclean-stops.ts';

/** Does not return: the process keeps its pid and is the postmaster from then on. */
export async function becomeServer(job: Job): Promise<void> {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  // PID 1 has started us as this user already, unless a person runs the program by hand as root.
  becomeUser(user);
  const cluster = findCluster(layout);
  if (!cluster) {
    throw new Failure(`cannot start the database: there is no cluster in ${layout.pg}`, {
      remedy: 'the task `cluster` makes it; see why that one failed',
    });
  }
  const binaries = findBinaries({ major: cluster.major, libraryDir: join(layout.sockets, 'lib') });
  mkdirSync(layout.rendered, { recursive: true, mode: 0o700 });
  await renderInto(layout, job, user, cluster);
  const stalePid = await clearStale(cluster.folder, layout, job.say);
  // Its full path also as argv[0]: postgres finds its libraries by it, and a bare name would be looked up on PATH.
  const program = join(binaries.bin, 'postgres');
  const argv = [
    program,
    '-D',
    cluster.folder,
    // On the command line, so that no file of the volume can open the database to the network.
    ...Object.entries({
      config_file: join(layout.rendered, 'postgresql.conf'),
      hba_file: join(layout.rendered, 'pg_hba.conf'),
      ident_file: join(layout.rendered, 'pg_ident.conf'),
      port: String(job.plan.port),
      listen_addresses: listenAddresses(job),
      unix_socket_directories: quoteListItem(layout.sockets),
    }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: user.home,
    ...binaries.env,
    ...(stalePid !== undefined && { PG_GRANDPARENT_PID: String(stalePid) }),
  };
  // A tool that is started costs time, so only what people have set is checked.
  const overrides = overridesOf(layout);
  if (overrides !== undefined || Object.keys(job.plan.settings).length > 0) {
    const { checkSettings } = await import('./check-settings.ts');
    await checkSettings(argv, env, overrides);
  }
  tellRecovery(layout, cluster.folder, job);
  await job.leave();
  // A stop that comes in these last moments must reach either us or postgres: what Node has caught already is told in
  // the next turn, and what comes later ends the process at once.
  endOnSignal('SIGINT');
  endOnSignal('SIGTERM');
  await nextTurn();
  if (job.signal.aborted) return;
  if (!process.execve) {
    throw new Failure(`cannot become postgres: Node ${process.version} has no process.execve`, {
      remedy: 'use Node 24 (22.15 or newer at least)',
    });
  }
  process.chdir('/');
  process.umask(0o077);
  process.execve(program, argv, env);
}

/** What postgres says in its own log of a clean stop needs no word of ours. */
function tellRecovery(layout: Layout, folder: string, job: Job): void {
  const unclean = countUncleanStop(layout, folder);
  if (unclean === undefined) return;
  const { state, count } = unclean;
  const range = findRedoRange(folder, readControlFile(folder));
  if (range !== undefined) job.report({ type: 'recovery', ...range });
  job.note(
    `the database was not shut down cleanly (it was "${state}"), so it recovers from its WAL now; unclean stops of this volume: ${count}`,
  );
}

function overridesOf({ overrides }: Layout): string | undefined {
  return existsSync(overrides) ? overrides : undefined;
}

async function renderInto(layout: Layout, job: Job, user: Identity, cluster: Cluster): Promise<void> {
  const archive = await prepareArchive({
    dataDir: layout.dataDir,
    cluster: { ...cluster, systemIdentifier: readSystemIdentifier(cluster.folder) },
    rendered: layout.rendered,
    pointInTime: job.backups.pointInTime,
    floor: job.backups.diskFloor,
    note: job.note,
  });
  const tuned = [...tuneServer(readMachineSize(layout.dataDir)), ...archiveSettings(archive)];
  const overrides = overridesOf(layout);
  const write = (name: string, text: string): void =>
    writeFileSync(join(layout.rendered, name), text, { mode: 0o600 });
  write('postgresql.conf', renderSettings(tuned, job.plan, overrides, cluster.major));
  write('pg_hba.conf', renderHba(canUsePeer(user), job.plan.listen && job.plan));
  write('pg_ident.conf', renderIdent(user.name));
}

function listenAddresses({ plan: { listen = [] }, note }: Job): string {
  if (listen.length === 0) return loopbacks().join(',');
  note(
    `the database listens on ${listen.join(', ')} besides the loopback: whoever reaches its port may try the application's password, and what is said is not encrypted (database.listen)`,
  );
  return listen.includes('*') ? '*' : [...new Set([...loopbacks(), ...listen])].join(',');
}

/** postgres warns about an address it cannot bind, and fails where it can bind none. */
function loopbacks(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  );
  return addresses.includes('::1') ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

/** The setting is a list, so a path with a comma or a space must be quoted. */
function quoteListItem(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}
