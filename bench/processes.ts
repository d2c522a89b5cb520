/** What the kernel says about a supervisor's own processes: the tree below a pid, the bench's children left out. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The supervisor and what it started to do its work; not what it supervises. */
export function ownProcesses(root: number, childPrograms: string): number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(name) : undefined;
    if (parent !== undefined) parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const visit = (pid: number): void => {
    if (!programOf(pid).startsWith(childPrograms)) found.push(pid);
    for (const child of parents.get(pid) ?? []) visit(child);
  };
  visit(root);
  return found;
}

function parentOf(pid: string): number | undefined {
  const fields = afterName(read(`/proc/${pid}/stat`));
  return fields === undefined ? undefined : Number(fields[1]);
}

/** Zombies among the children of a process. */
export function countZombies(parent: number): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    const fields = afterName(read(`/proc/${name}/stat`));
    return fields?.[0] === 'Z' && Number(fields[1]) === parent;
  }).length;
}

/** State and what follows it; the name before may hold any character. */
function afterName(stat: string): string[] | undefined {
  const end = stat.lastIndexOf(')');
  return end < 0 ? undefined : stat.slice(end + 2).split(' ');
}

export interface Memory {
  /** MB, shared pages divided among those who share them. */
  readonly pss: number;
  readonly privateDirty: number;
}

export function memoryOf(pids: readonly number[]): Memory {
  let [pss, privateDirty] = [0, 0];
  for (const pid of pids) {
    const text = read(`/proc/${pid}/smaps_rollup`);
    pss += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    privateDirty += Number(/^Private_Dirty:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return { pss: pss / 1024, privateDirty: privateDirty / 1024 };
}

export interface Activity {
  /** ms on a processor. */
  readonly cpu: number;
  /** How often a thread went to sleep to be woken again. */
  readonly wakeUps: number;
}

/** Since they began; of threads that have ended nothing is known. */
export function activityOf(pids: readonly number[]): Activity {
  let [cpu, wakeUps] = [0, 0];
  for (const pid of pids) {
    for (const thread of list(`/proc/${pid}/task`)) {
      cpu += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0) / 1e6;
      const status = read(`/proc/${pid}/task/${thread}/status`);
      wakeUps += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    }
  }
  return { cpu, wakeUps };
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
