/** What this container may use: cgroup v2, else v1, else the machine. Limits hold up the whole tree. */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Bytes of memory: the smallest limit that applies, never more than the machine has. */
export function readMemoryLimit(root = ROOT, membership = readText('/proc/self/cgroup')): number {
  const v2 = foldersOf(root, pathOf(membership, '')).map((folder) => readNumber(join(folder, 'memory.max')));
  const v1 = foldersOf(join(root, 'memory'), pathOf(membership, 'memory')).map((folder) =>
    readNumber(join(folder, 'memory.limit_in_bytes')),
  );
  // v1 says "no limit" as a number near 2^63.
  return Math.min(totalmem(), ...[...v2, ...v1].filter((limit) => limit !== undefined));
}

/** Processors, also as a fraction: the smallest quota that applies, never more than the machine has. */
export function readCpuLimit(root = ROOT, membership = readText('/proc/self/cgroup')): number {
  const v2 = foldersOf(root, pathOf(membership, '')).map((folder) => {
    const [quota, period] = readText(join(folder, 'cpu.max')).split(' ').map(Number);
    return divide(quota, period);
  });
  const v1 = foldersOf(join(root, 'cpu'), pathOf(membership, 'cpu')).map((folder) =>
    divide(readNumber(join(folder, 'cpu.cfs_quota_us')), readNumber(join(folder, 'cpu.cfs_period_us'))),
  );
  return Math.min(availableParallelism(), ...[...v2, ...v1].filter((limit) => limit !== undefined));
}

/** Both at once, for whoever fits something to them. */
export function readMachine(): { readonly memory: number; readonly cpus: number } {
  return { memory: readMemoryLimit(), cpus: readCpuLimit() };
}

/** How many processes of our group the kernel has killed for want of memory; 0 where it does not tell. */
function readOomKills(root = ROOT, membership = readText('/proc/self/cgroup')): number {
  const count = (folder: string, path: string, file: string): number => {
    // A path that does not exist here is that of the machine: ours is mounted at the root then.
    const text = readText(join(folder, path, file)) || readText(join(folder, file));
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  return Math.max(
    count(root, pathOf(membership, ''), 'memory.events'),
    count(join(root, 'memory'), pathOf(membership, 'memory'), 'memory.oom_control'),
  );
}

/**
 * Tells whether a process that was just killed by SIGKILL fell to the kernel: each kill that was counted since
 * explains one such death. It asks nothing of the kernel before that.
 */
export function watchOomKills(root = ROOT, membership = readText('/proc/self/cgroup')): () => boolean {
  let seen = readOomKills(root, membership);
  let unexplained = 0;
  return () => {
    const now = readOomKills(root, membership);
    unexplained += Math.max(0, now - seen);
    seen = now;
    if (unexplained === 0) return false;
    unexplained -= 1;
    return true;
  };
}

/** `0::/a/b` is ours in v2, `4:memory:/a/b` in v1. In a namespace of its own a container sees `/`. */
function pathOf(membership: string, controller: string): string {
  for (const line of membership.split('\n')) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path !== undefined && controllers.split(',').includes(controller)) return path;
  }
  return '/';
}

/** From our group up to the root. A path that leads out of the namespace is looked for at the root alone. */
function foldersOf(root: string, path: string): string[] {
  const folders = [root];
  if (path.includes('..')) return folders;
  for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) folders.push(join(root, at));
  return folders;
}

function divide(quota: number | undefined, period: number | undefined): number | undefined {
  return quota !== undefined && quota > 0 && period !== undefined && period > 0 ? quota / period : undefined;
}

function readNumber(path: string): number | undefined {
  const text = readText(path).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Bytes of memory that this container uses and cannot give back at once: without files that are only cached. Undefined
 * where the kernel does not tell.
 */
export function readWorkingSet(root = ROOT): number | undefined {
  // In a container of its own the root is the container; what we started has groups below it.
  const v2 = readNumber(join(root, 'memory.current'));
  const used = v2 ?? readNumber(join(root, 'memory', 'memory.usage_in_bytes'));
  if (used === undefined) return undefined;
  const stat = readText(v2 === undefined ? join(root, 'memory', 'memory.stat') : join(root, 'memory.stat'));
  const cached = /^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1];
  return Math.max(0, used - Number(cached ?? 0));
}
