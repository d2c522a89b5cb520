/** How a command becomes what its plan lets it be: another user, with limits, with few rights. */
import { readFileSync } from 'node:fs';
import { Failure } from '../base/errors.ts';
import { enterGroup } from './memory-groups.ts';
import { patienceOf } from './priority.ts';
import { hasGivenUp, heldCapabilities, withCapabilities } from './privileges.ts';
import { findProgram } from './program-path.ts';
import type { Identity } from './users.ts';

/** `soft` and `hard` in the units of setrlimit(2); -1: no limit. */
export type Ulimits = Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;

export interface Privileges {
  /** Capabilities it keeps, without CAP_; `all`: what we have ourselves. */
  readonly capabilities: readonly string[] | 'all';
  /** Setuid programs work, and root is root: nothing is taken from it. */
  readonly unconfined: boolean;
}

export interface Confinement {
  /** Undefined, or ourselves: as we are. */
  readonly identity?: Pick<Identity, 'uid' | 'gid' | 'groups'> | undefined;
  readonly ulimits?: Ulimits | undefined;
  /** The `cgroup.procs` of the group it enters while it is still who we are. */
  readonly memoryGroup?: string | undefined;
  /** As of setpriority(2); undefined: as we are. */
  readonly nice?: number | undefined;
  /** Undefined: as we are. */
  readonly privileges?: Privileges | undefined;
}

export interface ConfinedCommand {
  readonly argv: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
  /** What its nice is above ours, where it is to be set from outside. */
  readonly patience: number;
  /** Must be around the spawn, which must be synchronous. */
  around<T>(spawn: () => T): T;
}

const CANNOT_START = 13;

/**
 * Nearly everything is inherited. For another user and for limits util-linux's setpriv and prlimit stand before the
 * program: in the same process, about half a millisecond each. libuv would change the user too, but before its exec, and
 * as long as that lasts we wait for a process to which that user may send any signal: one SIGSTOP, and we wait for ever.
 * @throws Failure for what cannot be given: the command must then not be started.
 */
export function confineCommand(
  argv: readonly string[],
  { identity, ulimits, nice, memoryGroup, privileges }: Confinement,
  path: string | undefined,
  cwd: string,
): ConfinedCommand {
  const user = identity && !isOurselves(identity) ? identity : undefined;
  if (privileges?.unconfined === true && hasGivenUp()) {
    throw new Failure(
      'cannot give it the privileges of the container: Bulkhead gave them up when it started',
      {
        code: 'no-privileges',
        exitCode: CANNOT_START,
        remedy: 'Restart the container: they are kept where the first plan says privileged: true',
      },
    );
  }
  const capabilities = listCapabilities(privileges);
  const nicely = user ? niceWords(nice) : [];
  const patience = nicely.length === 0 ? patienceOf(nice) : 0;
  const wrapped = [...nicely, ...limitWords(ulimits), ...argv];
  const grouped = memoryGroup === undefined ? [] : enterGroup(memoryGroup);
  const isConfinedLate = privileges !== undefined && !privileges.unconfined && !hasGivenUp();
  const isPlain = user === undefined || (user.groups.length === 0 && grouped.length === 0 && !hasSetpriv());
  if (isPlain && !isConfinedLate) {
    if (grouped.length + wrapped.length > argv.length) requireProgram(argv, path, cwd);
    const changesUser = user !== undefined && user.uid !== 0;
    return {
      argv: [...grouped, ...wrapped],
      ids: user ? { uid: user.uid, gid: user.gid } : {},
      patience,
      around: (spawn) => withCapabilities(capabilities, changesUser, spawn),
    };
  }
  requireProgram(argv, path, cwd);
  const words = [requireTool('setpriv', 'install util-linux, or write the user as "name:group"')];
  if (user) words.push(`--reuid=${user.uid}`, `--regid=${user.gid}`, groupWord(user));
  if (isConfinedLate)
    words.push('--no-new-privs', ...(heldCapabilities().has('SETPCAP') ? ['--bounding-set=-all'] : []));
  const named = capabilities.map((name) => `,+${name.toLowerCase()}`).join('');
  // setpriv is one of those for whom we gave everything up, and needs these to become the user.
  const needed = hasGivenUp() && user ? [...new Set([...capabilities, 'SETUID', 'SETGID'])] : capabilities;
  if (hasGivenUp() || capabilities.length > 0) words.push(`--inh-caps=-all${named}`);
  if (capabilities.length > 0) words.push(`--ambient-caps=-all${named}`);
  return {
    argv: [...grouped, ...words, '--', ...wrapped],
    ids: {},
    patience,
    around: (spawn) => withCapabilities(needed, false, spawn),
  };
}

function listCapabilities(privileges: Privileges | undefined): readonly string[] {
  if (privileges === undefined || privileges.unconfined || privileges.capabilities.length === 0) return [];
  const held = heldCapabilities();
  if (privileges.capabilities === 'all') return [...held];
  const missing = privileges.capabilities.filter((name) => !held.has(name));
  if (missing.length > 0) {
    throw new Failure(`cannot give it ${missing.join(', ')}: this container may not do that itself`, {
      code: 'no-capability',
      exitCode: CANNOT_START,
      remedy: `Start the container with --cap-add ${missing.join(' --cap-add ')}, or leave out cap_add.`,
    });
  }
  return privileges.capabilities;
}

/** Another user's child may not be told by us, without CAP_SYS_NICE: it tells itself. */
function niceWords(nice: number | undefined): string[] {
  const patience = patienceOf(nice);
  if (patience === 0 || heldCapabilities().has('SYS_NICE')) return [];
  return [requireTool('nice', 'install coreutils, or leave out nice'), '-n', String(patience)];
}

function limitWords(ulimits: Ulimits | undefined): string[] {
  const limits = Object.entries(ulimits ?? {});
  if (limits.length === 0) return [];
  const tool = requireTool('prlimit', 'install util-linux, or leave out ulimits');
  const value = (limit: number): string => (limit < 0 ? 'unlimited' : String(limit));
  return [
    tool,
    ...limits.map(([name, { soft, hard }]) => {
      refuseAbove(name, hard);
      return `--${name}=${value(soft)}:${value(hard)}`;
    }),
    '--',
  ];
}

/** How /proc/self/limits calls what has another name there than in setrlimit(2). */
const TITLES: Readonly<Record<string, string>> = {
  core: 'core file size',
  cpu: 'cpu time',
  data: 'data size',
  fsize: 'file size',
  locks: 'file locks',
  memlock: 'locked memory',
  msgqueue: 'msgqueue size',
  nice: 'nice priority',
  nofile: 'open files',
  nproc: 'processes',
  rss: 'resident set',
  rtprio: 'realtime priority',
  rttime: 'realtime timeout',
  sigpending: 'pending signals',
  stack: 'stack size',
};

function refuseAbove(name: string, hard: number): void {
  const line = new RegExp(`^Max ${TITLES[name] ?? name}\\s+\\S+\\s+(\\S+)`, 'm');
  const ours = line.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  if (ours === undefined || ours === 'unlimited' || (hard >= 0 && hard <= Number(ours))) return;
  throw new Failure(
    `cannot set ulimits.${name} to ${hard < 0 ? 'unlimited' : hard}: the container has ${ours}`,
    {
      code: 'ulimit',
      exitCode: CANNOT_START,
      remedy: `start the container with --ulimit ${name}=${hard}, or ask for less`,
    },
  );
}

function groupWord(user: Pick<Identity, 'gid' | 'groups'>): string {
  return user.groups.length === 0 ? '--clear-groups' : `--groups=${[user.gid, ...user.groups].join(',')}`;
}

function hasSetpriv(): boolean {
  return tools.has('setpriv') || findProgram('setpriv') !== undefined;
}

const tools = new Map<string, string>();

function requireTool(name: string, remedy: string): string {
  const path = tools.get(name) ?? findProgram(name);
  if (path === undefined) {
    throw new Failure(`cannot use ${name}: there is none in this image`, {
      code: 'ENOENT',
      exitCode: CANNOT_START,
      remedy,
    });
  }
  tools.set(name, path);
  return path;
}

/** The tool before it would start in its place, and then end with a code of its own. */
function requireProgram([program = '']: readonly string[], path: string | undefined, cwd: string): void {
  if (findProgram(program, path, cwd) !== undefined) return;
  throw Object.assign(new Error(`spawn ${program} ENOENT`), { code: 'ENOENT' });
}

function isOurselves(identity: Pick<Identity, 'uid' | 'gid' | 'groups'>): boolean {
  if (identity.uid !== process.geteuid?.() || identity.gid !== process.getegid?.()) return false;
  const ours = new Set(process.getgroups?.());
  return identity.groups.every((group) => ours.has(group));
}
