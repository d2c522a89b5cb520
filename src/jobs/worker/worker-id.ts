/** Who a worker is to the others that share its store. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * The same for every worker that one supervisor starts one after another, and nobody else's: what an earlier one of them
 * had claimed is known to be dead when the next one begins, since PID 1 has ended it. Another start of the container, a
 * copy of its volume, another container on the same host: other ids.
 */
export function ownWorkerId(): string {
  // Field 22 is the start time in ticks since boot, proc_pid_stat(5); the name before may hold anything.
  const stat = readText(`/proc/${process.ppid}/stat`);
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const life = [
    readText('/proc/sys/kernel/random/boot_id'),
    readLink('/proc/self/ns/pid'),
    process.ppid,
    started,
  ];
  const hash = createHash('sha256').update(life.join('\n')).digest('hex');
  return `${hostname()}-${hash.slice(0, 12)}`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
