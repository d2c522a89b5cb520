/**
 * Memory limits by the kernel: a cgroup (v2) for each start of a service that has one.
 *
 * Docker mounts /sys/fs/cgroup read-only, so the usual answer in a container is "no"; where the folder is ours
 * (--privileged, Podman, a delegated unit of systemd) the kernel wants two things. A group with controllers for its
 * children may hold no process itself, so everybody in ours, we included, moves one down first. And who moves a process
 * needs the right to write in both groups, so a child moves itself while it still is who we are: see `enterGroup`.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../base/errors.ts';
import { listProcesses } from './process-table.ts';

export interface MemoryGroup {
  /** Who writes 0 to this file is in it. */
  readonly procs: string;
  /** How many of its processes the kernel has killed for want of memory. */
  oomKills(): number;
  /** Once nothing of it lives. */
  remove(): void;
}

export interface MemoryGroups {
  /** A new group for one start of a service; undefined: this system lets us make none. @param limit bytes */
  open(name: string, limit: number): MemoryGroup | undefined;
}

/** What is done to the tree of groups; every function throws what the kernel says. */
export interface CgroupFiles {
  exists(path: string): boolean;
  isWritable(path: string): boolean;
  read(path: string): string;
  write(path: string, text: string): void;
  makeDir(path: string): void;
  removeDir(path: string): void;
}

const ROOT = '/sys/fs/cgroup';
/** Where everybody goes who has no limit. */
const OTHERS = 'bulkhead';
/** A process may have forked between our look and its move. */
const MOST_ROUNDS = 10;
const REMOVE_AGAIN_MS = 100;
const MOST_REMOVALS = 20;

const realFiles: CgroupFiles = {
  exists: existsSync,
  isWritable: (path) => {
    try {
      accessSync(path, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
  read: (path) => readFileSync(path, 'latin1'),
  write: (path, text) => writeFileSync(path, text),
  makeDir: (path) => mkdirSync(path),
  removeDir: (path) => rmdirSync(path),
};

/** Touches nothing before the first limit is asked for. */
export function createMemoryGroups(
  files: CgroupFiles = realFiles,
  isOurs: (pid: number) => boolean = isOurProcess,
  root = ROOT,
): MemoryGroups {
  let base: string | undefined;
  let looked = false;
  let count = 0;

  function open(name: string, limit: number): MemoryGroup | undefined {
    if (!looked) base = takeBase(files, root, isOurs);
    looked = true;
    if (base === undefined) return undefined;
    count += 1;
    const folder = join(base, `${name}.${count}`);
    try {
      makeAnew(files, folder);
      files.write(join(folder, 'memory.max'), String(limit));
    } catch {
      tryTo(() => files.removeDir(folder));
      return undefined;
    }
    // The limit is one of memory and swap together, and what is left of a service that lost a part is no service.
    tryTo(() => files.write(join(folder, 'memory.swap.max'), '0'));
    tryTo(() => files.write(join(folder, 'memory.oom.group'), '1'));
    return {
      procs: join(folder, 'cgroup.procs'),
      oomKills: () => countKills(files, folder),
      remove: () => removeSoon(files, folder, MOST_REMOVALS),
    };
  }
  return { open };
}

/** What stands before a command to be in a group; the shell is gone by the time the program runs. */
export function enterGroup(procs: string): string[] {
  return ['/bin/sh', '-c', 'echo 0 > "$0" && exec "$@"', procs];
}

/** Our own group, made ready to have groups with limits below it. */
function takeBase(files: CgroupFiles, root: string, isOurs: (pid: number) => boolean): string | undefined {
  try {
    const path = /^0::(\/.*)$/m.exec(files.read('/proc/self/cgroup'))?.[1];
    if (path === undefined || path.includes('..')) return undefined;
    // A path that does not exist here is that of the machine: ours is mounted at the root then.
    const base = files.exists(join(root, path, 'cgroup.procs')) ? join(root, path) : root;
    const control = join(base, 'cgroup.subtree_control');
    if (!wordsOf(files, join(base, 'cgroup.controllers')).includes('memory')) return undefined;
    if (!files.isWritable(base) || !files.isWritable(control)) return undefined;
    // The root of the whole machine may hold processes, and has no limit.
    if (files.exists(join(base, 'memory.max')) && !moveDown(files, base, isOurs)) return undefined;
    if (!wordsOf(files, control).includes('memory')) files.write(control, '+memory');
    return base;
  } catch {
    return undefined;
  }
}

function moveDown(files: CgroupFiles, base: string, isOurs: (pid: number) => boolean): boolean {
  const procs = join(base, 'cgroup.procs');
  const others = join(base, OTHERS);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const pids = wordsOf(files, procs).map(Number);
    if (pids.length === 0) return true;
    // Strangers in our group: somebody's session, which is nobody's to move.
    if (!pids.every(isOurs)) return false;
    if (!files.exists(others)) files.makeDir(others);
    for (const pid of pids) moveOne(files, join(others, 'cgroup.procs'), pid);
  }
  return false;
}

function moveOne(files: CgroupFiles, procs: string, pid: number): void {
  try {
    files.write(procs, String(pid));
  } catch (error) {
    // It has ended meanwhile.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** As PID 1 all processes we can see are; one of another namespace is shown as 0. */
function isOurProcess(pid: number): boolean {
  if (pid === 0) return false;
  if (process.pid === 1 || pid === process.pid) return true;
  const parents = new Map(listProcesses().map((entry) => [entry.pid, entry.parent]));
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
    if (at === process.pid) return true;
  }
  return false;
}

/** One of that name may be left of a supervisor that was killed; one with processes in it is not ours to take. */
function makeAnew(files: CgroupFiles, folder: string): void {
  if (files.exists(folder)) files.removeDir(folder);
  files.makeDir(folder);
}

function countKills(files: CgroupFiles, folder: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(files.read(join(folder, 'memory.events')))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Somebody we do not know may still be in it, or the kernel be slow to forget the last one. */
function removeSoon(files: CgroupFiles, folder: string, times: number): void {
  try {
    files.removeDir(folder);
  } catch (error) {
    if (codeOf(error) !== 'EBUSY' || times === 0) return;
    tryTo(() => files.write(join(folder, 'cgroup.kill'), '1'));
    setTimeout(() => removeSoon(files, folder, times - 1), REMOVE_AGAIN_MS).unref();
  }
}

function wordsOf(files: CgroupFiles, path: string): string[] {
  return files
    .read(path)
    .split(/\s+/)
    .filter((word) => word !== '');
}

function tryTo(act: () => void): void {
  try {
    act();
  } catch {
    // Older kernels do not know every file.
  }
}
