/** Who lives below a process, zombies included, as /proc shows it from outside. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Descendant {
  readonly pid: number;
  /** The kernel's letter: Z is dead and not yet reaped. */
  readonly state: string;
  readonly argv: string;
}

export function listDescendants(pid: number): Descendant[] {
  return readChildren(pid).flatMap((child) => {
    const stat = readText(`/proc/${child}/stat`);
    if (stat === '') return [];
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    const argv = readText(`/proc/${child}/cmdline`).replaceAll('\0', ' ').trim();
    return [{ pid: child, state, argv }, ...listDescendants(child)];
  });
}

/** How many descriptors a process has open. */
export function countOpenFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The most memory it ever had resident, in MB. */
export function readPeakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readText(`/proc/${pid}/status`))?.[1]) / 1024;
}

/**
 * Asks again and again, where nothing tells: what happens in other processes' memory and in the kernel.
 * @throws after `limit` ms
 */
export async function eventually(
  what: string,
  asked: () => boolean | Promise<boolean>,
  limit = 20_000,
): Promise<void> {
  const end = performance.now() + limit;
  while (!(await asked())) {
    if (performance.now() > end) throw new Error(`waited ${limit} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function readChildren(pid: number): number[] {
  let threads: string[] = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    // It is gone.
  }
  return threads
    .flatMap((thread) => readText(`/proc/${pid}/task/${thread}/children`).split(' '))
    .filter((text) => text.trim() !== '')
    .map(Number);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
