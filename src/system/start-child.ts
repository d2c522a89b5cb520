/**
 * A child, by the cheaper of two ways: posix_spawn(3) where that can do it, else Node's own spawn, which knows sockets
 * and a writable stdin. Another user's begins as ours and becomes that user after its exec (confine.ts), so it goes the
 * cheap way too; Node changes the user only where there is no setpriv. We never become the user ourselves, not for the
 * moment of a spawn: kill(2) asks for the real id, and it could send us any signal.
 */
import { type StdioNull, type StdioPipe, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { codeOf } from '../base/errors.ts';
import { awaitExit, type Exit, isAwaited } from './exits.ts';
import { spawnPlainly } from './posix-spawn.ts';
import { send } from './signalling.ts';

export interface ChildOptions {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** By the child's descriptors, from 0: `pipe` is a connected socket, `ignore` /dev/null as 0 and nothing elsewhere. */
  readonly stdio: readonly ('ignore' | 'pipe' | number)[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

export interface Child {
  /** Undefined: it could not be started, and `failed` has told why. */
  readonly pid: number | undefined;
  readonly stdin: Writable | undefined;
  /** Our end of a socket that it has as this descriptor. */
  socket(fd: number): unknown;
  /** False: it is gone. */
  kill(signal: NodeJS.Signals): boolean;
  /** Called once, never synchronously. */
  onExit(tell: (exit: Exit) => void): void;
  /** Called where it could not be started, never synchronously. */
  onFailure(tell: (error: Error) => void): void;
}

/** @throws Error where nothing was started, sometimes; else `onFailure` tells. */
export function startChild(options: ChildOptions): Child {
  return startPlainly(options) ?? startByNode(options);
}

/** A C library that lacks one of the calls is asked once. */
let isAble = true;

function startPlainly({ argv, env, cwd, stdio, ids }: ChildOptions): Child | undefined {
  if (!isAble || stdio.includes('pipe') || ids.uid !== undefined) return undefined;
  const fds = stdio.flatMap((ours, theirs) => (typeof ours === 'number' ? [{ ours, theirs }] : []));
  try {
    const pid = spawnPlainly({ argv, env, cwd, fds });
    return {
      pid,
      stdin: undefined,
      socket: () => undefined,
      kill: (signal) => isAwaited(pid) && send(pid, signal),
      onExit: (tell) => awaitExit(pid, tell),
      onFailure: () => undefined,
    };
  } catch (error) {
    if (codeOf(error) !== undefined) throw error;
    isAble = false;
    return undefined;
  }
}

function startByNode({ argv, env, cwd, stdio, ids }: ChildOptions): Child {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, {
    cwd,
    env,
    stdio: [...stdio] satisfies (StdioNull | StdioPipe | number)[],
    detached: true,
    ...ids,
  });
  child.on('error', () => undefined);
  return {
    pid: child.pid,
    stdin: child.stdin ?? undefined,
    socket: (fd) => child.stdio[fd],
    // Not process.kill: Node knows whether it has waited for this pid, which may be another's by now.
    kill: (signal) => child.kill(signal),
    onExit: (tell) => child.once('exit', (code, signal) => tell({ code, signal })),
    onFailure: (tell) => child.once('error', tell),
  };
}
