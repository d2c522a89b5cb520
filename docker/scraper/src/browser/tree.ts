import { readdirSync, readFileSync } from 'node:fs';

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}

function childrenOf(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) =>
    readText(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/** A process and all below it, parents first. */
export function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

/**
 * Kills a process and all below it. The parent is stopped first, so that it cannot start another while we count;
 * what is killed does not ask.
 */
export function killTree(pid: number): void {
  signal(pid, 'SIGSTOP');
  for (const one of treeOf(pid).reverse()) signal(one, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

/** Proportional memory of a tree in bytes: what is shared counts once. undefined where /proc is closed to us. */
export function memoryOf(pid: number): number | undefined {
  const sizes = treeOf(pid).map(
    (one) => /^Pss:\s+(\d+) kB/m.exec(readText(`/proc/${one}/smaps_rollup`))?.[1],
  );
  const kB = sizes.reduce((sum, size) => sum + Number(size ?? 0), 0);
  return kB > 0 ? kB * 1024 : undefined;
}

/** When a process began, in the kernel's ticks: with the pid, its name for as long as the machine is up. */
export function startOf(pid: number): string | undefined {
  // After the last bracket: a program's name may hold any sign. proc(5): field 22.
  return readText(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[19];
}
