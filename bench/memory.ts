/** Memory of processes as the kernel counts it; needs root where they belong to others. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Memory {
  /** kB; shared pages divided by those who share them, so that sums are true. */
  readonly pss: number;
  /** kB that would be free if the process were gone. */
  readonly privateDirty: number;
}

export function readMemory(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { pss: field('Pss'), privateDirty: field('Private_Dirty') };
}

/** All processes in the pid namespace of one; of a container's PID 1: the whole container. */
export function listNamespace(pid: number): number[] {
  const namespaceOf = (of: number | string) => {
    try {
      return readlinkSync(`/proc/${of}/ns/pid`);
    } catch {
      return undefined;
    }
  };
  const wanted = namespaceOf(pid);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && namespaceOf(name) === wanted)
    .map(Number);
}
