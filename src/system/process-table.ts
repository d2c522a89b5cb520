/** What the kernel tells about processes: `/proc/<pid>/stat` and `children`, see proc(5). */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { codeOf } from '../base/errors.ts';
import { readAs } from './libc.ts';

export interface ProcessEntry {
  readonly pid: number;
  /** The kernel's short name, at most 15 characters. */
  readonly name: string;
  /** Z and X are dead, whatever kill(2) says. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Undefined: there is no such process. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const text = readText(`/proc/${pid}/stat`);
  // The name stands in parentheses and may itself contain any character.
  const end = text.lastIndexOf(')');
  if (end < 0) return undefined;
  const [state = '', parent, group, session] = text.slice(end + 2).split(' ', 4);
  const name = text.slice(text.indexOf('(') + 1, end);
  return { pid, name, state, parent: Number(parent), group: Number(group), session: Number(session) };
}

/** When it started, in clock ticks since the machine's boot (proc(5), field 22): with the pid it names a process for good. */
export function readStart(pid: number): number | undefined {
  const text = readText(`/proc/${pid}/stat`);
  const ticks = text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  return ticks === undefined ? undefined : Number(ticks);
}

export function isDead(entry: ProcessEntry): boolean {
  return entry.state === 'Z' || entry.state === 'X';
}

/** The children of a process, zombies included; undefined where the kernel was built without that list. */
export function readChildren(pid: number): number[] | undefined {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const children: number[] = [];
  for (const thread of threads) {
    try {
      children.push(...parsePids(readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')));
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && !hasChildrenFile()) return undefined;
    }
  }
  return children;
}

/** Our own children: orphans come to our first thread, and Node starts children from there. */
export function readOwnChildren(): number[] | undefined {
  try {
    return parsePids(readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1'));
  } catch {
    return readChildren(process.pid);
  }
}

/** Every process this namespace shows. A hundred times the price of `readChildren`. */
export function listProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((entry) => entry !== undefined);
}

/**
 * Whether a live process is just becoming another program: the kernel then shows neither arguments nor environment,
 * for a tenth of a millisecond or as long as the disk takes.
 */
export function isBetweenPrograms(pid: number): boolean {
  const entry = readProcess(pid);
  return entry !== undefined && !isDead(entry) && readText(`/proc/${pid}/cmdline`) === '';
}

/** One variable of a process's environment as it was when the program started; undefined: not set or not readable. */
export function readVariable(pid: number, name: string): string | undefined {
  const prefix = `${name}=`;
  return readEnvironment(pid)
    .split('\0')
    .find((line) => line.startsWith(prefix))
    ?.slice(prefix.length);
}

function readEnvironment(pid: number): string {
  const path = `/proc/${pid}/environ`;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'EACCES' || process.getuid?.() !== 0) return '';
  }
  try {
    const { uid, gid } = statSync(`/proc/${pid}`);
    return readAs(uid, gid, () => readText(path));
  } catch {
    return '';
  }
}

function hasChildrenFile(): boolean {
  try {
    readFileSync(`/proc/self/task/${process.pid}/children`);
    return true;
  } catch {
    return false;
  }
}

function parsePids(text: string): number[] {
  return text
    .split(' ')
    .map(Number)
    .filter((pid) => pid > 0);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
