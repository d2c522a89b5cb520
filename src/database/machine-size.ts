/** What the container may use: memory, processors, shared memory, disk. Every reader has a fallback. */
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

export interface MachineSize {
  /** Bytes: the smallest of the cgroup limits up the tree and the machine's memory. */
  readonly memory: number;
  readonly memorySource: 'cgroup' | 'machine';
  readonly cpus: number;
  /** Bytes of /dev/shm. */
  readonly sharedMemory: number;
  /** Free bytes where the volume is. */
  readonly freeDisk: number;
}

export function readMachineSize(dataDir: string): MachineSize {
  const total = totalmem();
  const limit = Math.min(
    ...cgroupFolders().flatMap(({ path, v2 }) =>
      readLimit(join(path, v2 ? 'memory.max' : 'memory.limit_in_bytes')),
    ),
    Infinity,
  );
  return {
    memory: Math.min(limit, total),
    memorySource: limit < total ? 'cgroup' : 'machine',
    cpus: readCpus(),
    sharedMemory: sizeOf('/dev/shm', 'size') ?? 64 * 1024 ** 2,
    freeDisk: sizeOf(dataDir, 'free') ?? Infinity,
  };
}

function readCpus(): number {
  const quotas = cgroupFolders().flatMap(({ path, v2 }) => {
    if (v2) {
      const [quota, period] = read(join(path, 'cpu.max')).split(/\s+/).map(Number);
      return quota && period ? [quota / period] : [];
    }
    const quota = Number(read(join(path, 'cpu.cfs_quota_us')));
    const period = Number(read(join(path, 'cpu.cfs_period_us')));
    return quota > 0 && period > 0 ? [quota / period] : [];
  });
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(Math.min(...quotas, Infinity))));
}

/** "max" of v2 is no number, and v1 writes "none" as a number no machine has: both are no limit. */
function readLimit(path: string): number[] {
  const limit = Number(read(path).trim() || 'none');
  return Number.isFinite(limit) && limit > 0 ? [limit] : [];
}

/** Our own groups and all above them: the tightest limit counts, wherever it stands. */
function cgroupFolders(): { path: string; v2: boolean }[] {
  return read('/proc/self/cgroup')
    .split('\n')
    .flatMap((line) => {
      const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (line === '' || !(controllers === '' || /\b(memory|cpu)\b/.test(controllers))) return [];
      const roots =
        controllers === ''
          ? ['/sys/fs/cgroup']
          : controllers.split(',').map((name) => `/sys/fs/cgroup/${name}`);
      return roots.flatMap((root) =>
        ancestors(path).map((each) => ({ path: join(root, each), v2: controllers === '' })),
      );
    });
}

function ancestors(path: string): string[] {
  return path === '/' ? ['/'] : [path, ...ancestors(dirname(path))];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function sizeOf(path: string, what: 'size' | 'free'): number | undefined {
  try {
    const { bsize, blocks, bavail } = statfsSync(path);
    return bsize * (what === 'size' ? blocks : bavail);
  } catch {
    return undefined;
  }
}
