/** What an earlier postmaster left behind, and what of it still lives. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import type { Layout } from '../postgres/layout.ts';
import { isDead, readProcess } from '../system/process-table.ts';

/**
 * Clears the way for a start. Returns the pid that postgres must be told is no postmaster (PG_GRANDPARENT_PID), where
 * the lock file names a process that is not one: a recycled pid, a thread, a zombie. The file itself is not removed:
 * postgres does that after tests of its own.
 */
export async function clearStale(
  cluster: string,
  layout: Layout,
  say: (text: string) => void,
): Promise<number | undefined> {
  const lockFile = join(cluster, 'postmaster.pid');
  const content = readText(lockFile);
  if (content === undefined) {
    removeSockets(layout.sockets);
    return undefined;
  }
  const [first = '', , started = ''] = content.split('\n');
  const pid = Number(first.trim());
  if (!/^\d+$/.test(first.trim()) || pid <= 0) {
    mkdirSync(layout.trash, { recursive: true, mode: 0o700 });
    const aside = join(layout.trash, `${new Date().toISOString().replaceAll(':', '')}-postmaster.pid`);
    renameSync(lockFile, aside);
    say(`moved a damaged postmaster.pid to ${aside}`);
    removeSockets(layout.sockets);
    return undefined;
  }
  if (isPostmaster(pid, cluster, Number(started.trim()))) await stopPostmaster(pid, cluster, say);
  await waitUntilDeserted(cluster);
  removeSockets(layout.sockets);
  return pid;
}

/**
 * The server that lives on this cluster, by its pid. May be asked as root, who in a container is not told where the
 * process of another user works: then its name and the moment of its start have to do.
 */
export function findPostmaster(cluster: string): number | undefined {
  const [first = '', , started = ''] = readText(join(cluster, 'postmaster.pid'))?.split('\n') ?? [];
  const pid = /^\d+$/.test(first.trim()) ? Number(first) : 0;
  return pid > 0 && isPostmaster(pid, cluster, Number(started.trim())) ? pid : undefined;
}

/** Patroni's test: it is called postgres, works in this folder, and started when the file says (within 3 s). */
function isPostmaster(pid: number, cluster: string, startedAt: number): boolean {
  const found = readProcess(pid);
  if (found === undefined || isDead(found) || found.name !== 'postgres') return false;
  if ((readLink(`/proc/${pid}/cwd`) ?? realpathSync(cluster)) !== realpathSync(cluster)) return false;
  const since = startTime(pid);
  return since === undefined || !Number.isFinite(startedAt) || Math.abs(since - startedAt) <= 3;
}

/** As for a restart: its clients are sent away. Throws a Failure where it does not end. */
export async function stopPostmaster(
  pid: number,
  cluster: string,
  say: (text: string) => void,
): Promise<void> {
  say(`a server from before still runs as ${pid}: stopping it`);
  for (const [signal, wait] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    process.kill(pid, signal);
    const deadline = performance.now() + wait;
    while (performance.now() < deadline) {
      if (!isPostmaster(pid, cluster, Number.NaN)) return;
      await delay(50);
    }
  }
  throw new Failure(`cannot start the database: an earlier server (pid ${pid}) does not stop`, {
    remedy: 'end that process, then start again',
  });
}

/** Backends of a killed postmaster still hold its shared memory, and postgres refuses to start beside them. */
async function waitUntilDeserted(cluster: string): Promise<void> {
  const folder = realpathSync(cluster);
  const deadline = performance.now() + 10_000;
  for (;;) {
    const left = readdirSync('/proc').filter(
      (name) => /^\d+$/.test(name) && readLink(`/proc/${name}/cwd`) === folder,
    );
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new Failure(
        `cannot start the database: processes ${left.join(', ')} of an earlier server are still there`,
        {
          remedy: 'end them, then start again',
        },
      );
    }
    await delay(50);
  }
}

/** The folder is ours alone, and by now nobody listens there. */
function removeSockets(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith('.s.PGSQL.')) rmSync(join(folder, name), { force: true });
  }
}

/** Seconds since the epoch at which a process started, from /proc. */
function startTime(pid: number): number | undefined {
  const ticks = readText(`/proc/${pid}/stat`)?.split(') ')[1]?.split(' ')[19];
  const boot = /^btime (\d+)$/m.exec(readText('/proc/stat') ?? '')?.[1];
  // USER_HZ is 100 on every Linux that Node runs on.
  return ticks === undefined || boot === undefined ? undefined : Number(boot) + Number(ticks) / 100;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
