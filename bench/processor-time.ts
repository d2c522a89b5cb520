/** Who spent how much processor time while something was measured: of a container, of Docker, of the kernel. */
import { readdirSync, readFileSync } from 'node:fs';

/** Of _SC_CLK_TCK, on every Linux Node runs on. */
const TICKS_PER_SECOND = 100;
const KTHREADD = 2;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** s */
  readonly spent: number;
}

/**
 * Begins to watch; the returned function tells the seconds each has spent since, the most first. Processes are named
 * by what they run, PID 1 by `PID 1`, kernel threads and what has nothing to do with the container as one each.
 *
 * @param one the container's PID 1, as the host numbers it
 */
export function watchProcessors(one: number): () => readonly (readonly [name: string, seconds: number])[] {
  const before = new Map(listProcesses().map(({ pid, spent }) => [pid, spent]));
  return () => {
    const all = listProcesses();
    const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
    const sums = new Map<string, number>();
    for (const each of all) {
      const spent = each.spent - (before.get(each.pid) ?? 0);
      if (spent <= 0) continue;
      const name = nameOf(each, one, parents);
      sums.set(name, (sums.get(name) ?? 0) + spent);
    }
    return [...sums].toSorted(([, a], [, b]) => b - a);
  };
}

function nameOf({ pid, parent, name }: Process, one: number, parents: ReadonlyMap<number, number>): string {
  if (pid === one) return 'PID 1';
  if (pid === process.pid) return 'this bench';
  if (parent === KTHREADD) return 'kernel threads';
  if (name === 'dockerd' || name.startsWith('containerd')) return name;
  for (let at: number | undefined = parent; at !== undefined && at > 1; at = parents.get(at)) {
    if (at === one) return name;
  }
  return 'others';
}

function listProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`);
      const [, program = ''] = /\((.*)\)/s.exec(stat) ?? [];
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields.length < 13) return [];
      const spent = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
      return { pid: Number(name), parent: Number(fields[1]), name: program, spent };
    });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
