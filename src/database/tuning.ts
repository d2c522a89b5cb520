/** Settings of the server, computed from what the container may use. Pure. */
import { formatSize } from '../base/size.ts';
import type { MachineSize } from '../postgres/machine-size.ts';

export interface TunedSetting {
  readonly name: string;
  readonly value: string;
  /** Why it has this value, for people. */
  readonly reason: string;
}

const MB = 1024 ** 2;
const GB = 1024 ** 3;
/** The app and, in higher tiers, a browser live in the same container. */
const DATABASE_SHARE = 0.35;
/** Enough for the app's pool, our own programs and a person. */
const CONNECTIONS = 60;

export function tuneServer(size: MachineSize): TunedSetting[] {
  const share = size.memory * DATABASE_SHARE;
  const origin = `35 % of ${formatSize(size.memory)} (${size.memorySource})`;
  const shared = clamp(0.4 * share, 32 * MB, 8 * GB);
  const maintenance = clamp(share / 8, 16 * MB, GB);
  const parallel = size.sharedMemory >= 256 * MB;
  const small = `/dev/shm has only ${formatSize(size.sharedMemory)}; --shm-size=256m allows it`;
  return [
    tuned('max_connections', String(CONNECTIONS), 'pools of the app, our own programs, a person'),
    tuned('shared_buffers', megabytes(shared), `two fifths of ${origin}`),
    tuned('effective_cache_size', megabytes(Math.max(0.75 * share, shared)), `three quarters of ${origin}`),
    tuned(
      'work_mem',
      kilobytes(clamp((share - shared) / (3 * CONNECTIONS), MB, 64 * MB)),
      'what is left, over three sorts in every connection',
    ),
    tuned('maintenance_work_mem', megabytes(maintenance), `an eighth of ${origin}`),
    tuned('autovacuum_work_mem', megabytes(maintenance / 2), 'half of maintenance_work_mem'),
    tuned('max_wal_size', megabytes(clamp(size.freeDisk / 10, 256 * MB, 4 * GB)), 'a tenth of the free disk'),
    tuned('min_wal_size', '80MB', 'a small volume stays small'),
    tuned('checkpoint_timeout', '15min', 'bounds recovery after a crash to seconds'),
    tuned('checkpoint_completion_target', '0.9', 'spreads the writing'),
    tuned('wal_compression', 'on', 'full pages compress well'),
    tuned('max_worker_processes', String(size.cpus + 4), `${size.cpus} processors and four`),
    tuned('max_parallel_workers', String(size.cpus), `${size.cpus} processors`),
    tuned(
      'max_parallel_workers_per_gather',
      parallel ? String(Math.min(2, size.cpus - 1)) : '0',
      parallel ? 'one processor is left to others' : small,
    ),
    tuned(
      'max_parallel_maintenance_workers',
      parallel ? String(Math.min(2, size.cpus - 1)) : '0',
      parallel ? 'one processor is left to others' : small,
    ),
    tuned('jit', 'off', 'the image ships no LLVM, and short queries lose by it'),
    tuned('random_page_cost', '1.1', 'disks of today seek for nothing'),
  ];
}

function tuned(name: string, value: string, reason: string): TunedSetting {
  return { name, value, reason };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MB)}MB`;
}

function kilobytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}kB`;
}
