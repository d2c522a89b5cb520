/**
 * Starts a program without copying us first. fork(2) copies the page tables of who forks, and PID 1, small as it is,
 * has a Node's: 1.4 ms of processor time for each child, where posix_spawn(3) takes 0.1, because its child borrows our
 * memory until it is another program. It cannot do all that Node's own spawn can: see start-child.ts.
 */
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { declare } from './libc.ts';

export interface PlainSpawn {
  /** The program and its arguments; without a slash it is looked up on the PATH of `env`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** All the descriptors it gets, beside /dev/null as 0; by rising `theirs`. */
  readonly fds: readonly { readonly ours: number; readonly theirs: number }[];
}

const { ENOENT, ENOTDIR, EACCES, ENOEXEC } = constants.errno;
/** Where the environment names none. execvp(3) */
const O_RDONLY = 0;
const DEFAULT_PATH = '/usr/bin:/bin';

/** No signal is blocked, each means what the kernel means by it, and the child leads a session. spawn.h */
const FLAGS = 0x80 | 0x08 | 0x04;
/** Room for the two objects, on glibc and on musl. */
const ATTRIBUTES_SIZE = 512;
const ACTIONS_SIZE = 128;
const SIGSET_SIZE = 128;

const spawn = declare(
  'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **env)',
);
const initActions = declare('int posix_spawn_file_actions_init(void *actions)');
const destroyActions = declare('int posix_spawn_file_actions_destroy(void *actions)');
const addOpen = declare(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, int mode)',
);
const addDup = declare('int posix_spawn_file_actions_adddup2(void *actions, int fd, int to)');
const addFolder = declare('int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)');
const initAttributes = declare('int posix_spawnattr_init(void *attributes)');
const setFlags = declare('int posix_spawnattr_setflags(void *attributes, int16_t flags)');
const setDefault = declare('int posix_spawnattr_setsigdefault(void *attributes, void *signals)');

let attributes: Buffer | undefined;

/**
 * @returns the pid.
 * @throws Error with `code`, as Node's spawn does: nothing was started.
 */
export function spawnPlainly({ argv, env, cwd, fds }: PlainSpawn): number {
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [program = '', ...rest] = argv;
  // C would take the rest of such a text away in silence.
  if ([...argv, ...words, cwd].some((text) => text.includes('\0'))) {
    throw Object.assign(new Error(`spawn ${program}: a text has a zero byte`), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  }
  const actions = describeActions(cwd, fds);
  try {
    let refused = ENOENT;
    for (const file of filesOf(program, env.PATH, cwd)) {
      let result = tryFile(file, argv, words, actions);
      // As execvp(3): a script without an interpreter line is the shell's.
      if (-result === ENOEXEC) result = tryFile('/bin/sh', ['/bin/sh', file, ...rest], words, actions);
      if (result > 0) return result;
      if (-result !== ENOENT && -result !== ENOTDIR && -result !== EACCES) throw spawnError(program, -result);
      // Another file of that name may do; if none does, this one says most.
      if (refused !== EACCES && -result !== ENOENT) refused = -result;
    }
    throw spawnError(program, refused);
  } finally {
    destroyActions(actions);
  }
}

/** The pid, or the error as a negative number. */
function tryFile(file: string, argv: readonly string[], env: readonly string[], actions: Buffer): number {
  const pid = new Int32Array(1);
  const error = spawn(pid, file, actions, describeAttributes(), [...argv, null], [...env, null]);
  return error === 0 ? (pid[0] ?? 0) : -error;
}

function describeActions(cwd: string, fds: PlainSpawn['fds']): Buffer {
  const actions = Buffer.alloc(ACTIONS_SIZE);
  initActions(actions);
  addFolder(actions, cwd);
  addOpen(actions, 0, '/dev/null', O_RDONLY, 0);
  for (const { ours, theirs } of fds) addDup(actions, ours, theirs);
  return actions;
}

function describeAttributes(): Buffer {
  if (attributes) return attributes;
  attributes = Buffer.alloc(ATTRIBUTES_SIZE);
  initAttributes(attributes);
  setDefault(attributes, Buffer.alloc(SIGSET_SIZE, 0xff));
  setFlags(attributes, FLAGS);
  return attributes;
}

/** Where execvp(3) would look, of what is there. */
function filesOf(program: string, path: string | undefined, cwd: string): readonly string[] {
  if (program.includes('/')) return [program];
  const files = (path ?? DEFAULT_PATH).split(':').map((folder) => resolve(cwd, folder, program));
  return files.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

function spawnError(program: string, errno: number): Error {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`spawn ${program} ${code}`), { code, errno: -errno, syscall: 'spawn' });
}
