/** The container's disk, memory, CPU and network, as every process in it may read them. */
import { readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Samples } from './samples.ts';

/** Each may be a mount of its own. */
const PARTS = ['pg', 'wal', 'backups', 'assets', 'logs', 'secrets', 'import'];
/** A container has one or two; a pod of somebody's invention shall not fill the database of metrics. */
const MOST_INTERFACES = 16;

/** @param root where proc and sys are mounted, `/` but in tests */
export function addMachine(to: Samples, dataDir: string, root = '/'): void {
  addDisks(to, dataDir);
  addContainer(to, join(root, 'sys/fs/cgroup'));
  addNetwork(to, readText(join(root, 'proc/net/dev')));
}

function addDisks(to: Samples, dataDir: string): void {
  const seen = new Set<number>();
  for (const part of ['data', ...PARTS]) {
    const path = part === 'data' ? dataDir : join(dataDir, part);
    try {
      const { dev } = statSync(path);
      if (seen.has(dev)) continue;
      seen.add(dev);
      const { bsize, blocks, bavail, ffree } = statfsSync(path);
      to.add('bulkhead_disk_size_bytes', blocks * bsize, { part });
      to.add('bulkhead_disk_free_bytes', bavail * bsize, { part });
      to.add('bulkhead_disk_files_free', ffree, { part });
    } catch {
      // It is not there, or closed to us.
    }
  }
}

/** Version 2 of control groups; of version 1 nothing is told. */
function addContainer(to: Samples, group: string): void {
  const current = readNumber(join(group, 'memory.current'));
  const inactive = numberAfter('inactive_file', readText(join(group, 'memory.stat')));
  if (current !== undefined) {
    to.add('bulkhead_container_memory_bytes', Math.max(0, current - (inactive ?? 0)));
  }
  to.add('bulkhead_container_memory_limit_bytes', readNumber(join(group, 'memory.max')));
  const used = numberAfter('usage_usec', readText(join(group, 'cpu.stat')));
  if (used !== undefined) to.add('bulkhead_container_cpu_seconds_total', used / 1e6);
}

function addNetwork(to: Samples, text: string): void {
  const rows = [...text.matchAll(/^ *([\w.@-]+): *(.*)$/gm)].slice(0, MOST_INTERFACES);
  for (const [, name = '', rest = ''] of rows) {
    if (name === 'lo') continue;
    const values = rest.split(/ +/).map(Number);
    const at = (index: number): number => values[index] ?? 0;
    to.add('bulkhead_network_receive_bytes_total', at(0), { interface: name });
    to.add('bulkhead_network_transmit_bytes_total', at(8), { interface: name });
    to.add('bulkhead_network_errors_total', at(2) + at(3), { interface: name, direction: 'receive' });
    to.add('bulkhead_network_errors_total', at(10) + at(11), { interface: name, direction: 'transmit' });
  }
}

function readNumber(path: string): number | undefined {
  const text = readText(path).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function numberAfter(word: string, text: string): number | undefined {
  const found = new RegExp(`^${word} (\\d+)$`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
