/**
 * The calls of the C library that Node does not offer. koffi's native addon is opened directly: its JavaScript front
 * costs three times the load time and 1 MB more of private memory, and serves Windows and deprecated names.
 */
import { closeSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import type koffi from 'koffi';

type NativeFunction = (...values: unknown[]) => number;

type Addon = Pick<typeof koffi, 'load' | 'errno'>;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_SETPIPE_SZ = 1031;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x1000000;
const P_ALL = 0;
/** Of siginfo_t, in bytes. */
const SI_PID = 16;
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_SET_CHILD_SUBREAPER = 36;
const EAGAIN = 11;
const EINVAL = 22;
const ENOSYS = 38;
const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const SIG_DFL = 0;

let addon: Addon | undefined;
let library: ReturnType<Addon['load']> | undefined;

const pipe2 = declare('int pipe2(void *fds, int flags)');
const fcntl = declare('int fcntl(int fd, int command, int value)');
const waitpid = declare('int waitpid(int pid, void *status, int options)');
const waitid = declare('int waitid(int type, uint32_t id, void *info, int options)');
const flock = declare('int flock(int fd, int operation)');
/** Of the calling thread alone, and of what is started from it. prctl(2) */
export const prctl = declare('int prctl(int option, long a, long b, long c, long d)');
/** Also of this thread alone; in the kernel's own shape. capset(2) */
export const capset = declare('int capset(void *header, void *data)');
const socket = declare('int socket(int domain, int type, int protocol)');
const bind = declare('int bind(int fd, void *address, uint32_t length)');
const syncfs = declare('int syncfs(int fd)');
const renameat2 = declare(
  'int renameat2(int from, const char *old, int to, const char *new, uint32_t flags)',
);
const signal = declare('void *signal(int number, intptr_t action)');
const exit = declare('void _exit(int status)');
const setfsuid = declare('int setfsuid(uint32_t uid)');
const setfsgid = declare('int setfsgid(uint32_t gid)');

/** A pipe whose ends no program we start inherits by accident. */
export function openPipe(): { readonly read: number; readonly write: number } {
  const fds = new Int32Array(2);
  if (pipe2(fds, O_CLOEXEC) !== 0) throw systemError('pipe2');
  return { read: fds[0] ?? -1, write: fds[1] ?? -1 };
}

/**
 * A new datagram socket of that name, which no program we start inherits. unix(7)
 * @param path at most 107 bytes; nothing may be there
 */
export function bindDatagramSocket(path: string): number {
  const name = Buffer.from(path);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  if (name.copy(address, 2) > 107) throw new Error(`the address of a socket is too long: ${path}`);
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) throw systemError('socket');
  if (bind(fd, address, 2 + name.length + 1) === 0) return fd;
  const error = systemError('bind');
  closeSync(fd);
  throw error;
}

/** Keeps a descriptor from the programs we start. */
export function closeOnExec(fd: number): void {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/** Sets a pipe's capacity in bytes; false where the user's share of pipe memory is used up (`pipe-user-pages-soft`). */
export function setPipeSize(fd: number, bytes: number): boolean {
  return fcntl(fd, F_SETPIPE_SZ, bytes) >= 0;
}

/** Takes the exit status of one dead child of ours. False: it lives, or is no child of ours. */
export function reap(pid: number): boolean {
  return waitpid(pid, null, WNOHANG) === pid;
}

/** The pid of a dead child that nobody has waited for yet, the first of them, without taking it. waitid(2) */
export function seeZombie(): number | undefined {
  const info = Buffer.alloc(128);
  if (waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) !== 0) return undefined;
  return info.readInt32LE(SI_PID) || undefined;
}

/** Takes the exit status of one dead child of ours, as wait(2) writes it; undefined: it lives. */
export function readStatus(pid: number): number | undefined {
  const status = new Int32Array(1);
  return waitpid(pid, status, WNOHANG) === pid ? status[0] : undefined;
}

/** From now on orphans below us become our children, as they do for PID 1. prctl(2), Linux 3.4. */
export function becomeSubreaper(): boolean {
  return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) === 0;
}

/** Locks an open file for this description until it is closed; false when another holds it. flock(2). */
export function lockFile(fd: number): boolean {
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  if (addon?.errno() === EAGAIN) return false;
  throw systemError('flock');
}

/** Whether another holds the lock of an open file alone; nothing is locked afterwards that was not. */
export function isLockedFile(fd: number): boolean {
  if (flock(fd, LOCK_SH | LOCK_NB) === 0) {
    flock(fd, LOCK_UN);
    return false;
  }
  if (addon?.errno() === EAGAIN) return true;
  throw systemError('flock');
}

/** Everything written so far to the file system of this open file is on its disk. syncfs(2), Linux 2.6.39. */
export function syncFileSystem(fd: number): void {
  if (syncfs(fd) !== 0) throw systemError('syncfs');
}

/** Two names change places in one step; false where this file system cannot (EINVAL, ENOSYS). renameat2(2), Linux 3.15. */
export function exchangeNames(one: string, other: string): boolean {
  if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) === 0) return true;
  const code = addon?.errno() ?? 0;
  if (code === EINVAL || code === ENOSYS) return false;
  throw systemError('renameat2');
}

/**
 * From now on this signal ends the process by itself, in the kernel: Node would hear it at its next turn only, and what
 * it has not heard when it becomes another program is lost. signal(2)
 */
export function endOnSignal(name: NodeJS.Signals): void {
  signal(constants.signals[name], SIG_DFL);
}

/**
 * Ends this process in the kernel, without Node's own end. That waits for V8's threads, and one of them that compiles may
 * wait for us, to make it room on the heap: for ever (nodejs/node#54918; seen at a `config check` under load). What
 * streams still hold is lost. _exit(2)
 */
export function endAtOnce(code: number): void {
  exit(code);
}

/**
 * Runs `read` with the file rights of another user. Inside Docker root has no CAP_SYS_PTRACE, so another user's
 * `environ` and `smaps_rollup` are closed to it; the kernel asks for the *file system* ids there, and those root may
 * set, for this thread alone. `read` must be synchronous and touch nothing else.
 *
 * The kernel takes a change of these for a change of who we are, and from then on keeps everybody out of our memory: a
 * PID 1 that crashes would leave no core, and whoever has no CAP_SYS_PTRACE, as root in Docker, could see neither its
 * environment nor its files any more. Nobody of another uid could before either, so what was is put back. prctl(2)
 */
export function readAs<T>(uid: number, gid: number, read: () => T): T {
  const wasDumpable = isDumpable();
  const oldGid = setfsgid(gid);
  const oldUid = setfsuid(uid);
  try {
    return read();
  } finally {
    setfsuid(oldUid);
    setfsgid(oldGid);
    if (wasDumpable) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
}

/** Whether others of our uid may look into our memory, and the kernel may write it to a core. prctl(2) */
export function isDumpable(): boolean {
  return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) === 1;
}

/** Nothing is looked up before its first use; throws then where the C library has no such call. */
export function declare(prototype: string): NativeFunction {
  let call: NativeFunction | undefined;
  return (...values) => {
    call ??= openLibrary().func(prototype);
    return call(...values);
  };
}

function openLibrary(): ReturnType<Addon['load']> {
  addon ??= loadAddon();
  // null is the running program: whichever C library Node itself is linked with.
  library ??= addon.load(null);
  return library;
}

function loadAddon(): Addon {
  const folder = findAddonFolder();
  for (const toolchain of ['linux', 'musl']) {
    const path = folder && join(folder, `${toolchain}_${process.arch}`, 'koffi.node');
    if (path === undefined || !existsSync(path)) continue;
    const module: { exports: unknown } = { exports: {} };
    try {
      process.dlopen(module, path);
      return module.exports as Addon;
    } catch {
      // Built for the other C library.
    }
  }
  return createRequire(import.meta.url)('koffi') as Addon;
}

function findAddonFolder(): string | undefined {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', '@koromix', `koffi-linux-${process.arch}`);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

function systemError(call: string): Error {
  const code = getSystemErrorName(-(addon?.errno() ?? 0));
  return Object.assign(new Error(`${call} failed: ${code}`), { code, syscall: call });
}
