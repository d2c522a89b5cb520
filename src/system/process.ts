/**
 * Starts one child and tells what becomes of it. Each child leads a session and a group of its own, has /dev/null as
 * stdin unless somebody wants to write to it and real pipes as stdout and stderr (Node's own would be sockets, which no program can open again as
 * /dev/stdout), and gets exactly the environment it is given.
 */
import { closeSync, fchmodSync, fchownSync, readdirSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Channel, LineLimit } from './channel.ts';
import { openChannel } from './channel.ts';
import { registerChildren } from './children.ts';
import type { Privileges, Ulimits } from './confine.ts';
import { confineCommand } from './confine.ts';
import { whenEmpty } from './emptiness.ts';
import { enterFamily } from './families.ts';
import { readFamilyMemory } from './family-memory.ts';
import { closeOnExec, openPipe } from './libc.ts';
import { nodeChannelVariables, readNodeChannel } from './node-channel.ts';
import type { NotifySocket } from './notify-socket.ts';
import { openNotifySocket } from './notify-socket.ts';
import type { OutputPipe } from './output-pipe.ts';
import { openOutputPipe } from './output-pipe.ts';
import { makePatient, setOomScore, withPriority } from './priority.ts';
import { readReadiness } from './readiness.ts';
import { TAG_VARIABLE } from './relatives.ts';
import type { SignalTarget } from './signalling.ts';
import { signalFamily } from './signalling.ts';
import { explainSpawnFailure } from './spawn-failure.ts';
import type { Child, ChildOptions } from './start-child.ts';
import { startChild } from './start-child.ts';
import type { Identity } from './users.ts';

export interface SpawnOptions {
  /** The program and its arguments; without a slash it is looked up on the PATH of `env`. */
  readonly argv: readonly string[];
  /** The whole environment of the child: nothing of ours is added but the tag. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Undefined, or ourselves: the child runs as we do. */
  readonly identity?: Pick<Identity, 'uid' | 'gid' | 'groups' | 'name'> | undefined;
  /** The child's descriptor on which a newline means "ready". */
  readonly readyFd?: number | undefined;
  /** The child, a Node program, can say `process.send('ready')`. */
  readonly nodeChannel?: boolean | undefined;
  /** The child gets a connected socket as descriptor 3, for lines both ways. */
  readonly channel?: boolean | LineLimit | undefined;
  /** The child reads what is written to `stdin`; else its input is /dev/null. */
  readonly stdin?: boolean | undefined;
  /** The child gets a socket of sd_notify(3) at this path, for as long as it lives. */
  readonly notify?: { readonly path: string; readonly watchdog: number | undefined } | undefined;
  /** Had, or it is not started. */
  readonly nice?: number | undefined;
  /** Had, or it is not started. */
  readonly oomScoreAdj?: number | undefined;
  /** Where nobody asked for another: had where that is allowed. */
  readonly usualOomScore?: number | undefined;
  /** Undefined: 022. */
  readonly umask?: number | undefined;
  readonly ulimits?: Ulimits | undefined;
  /** The `cgroup.procs` of a group it is to be in from its first instruction. */
  readonly memoryGroup?: string | undefined;
  /** Undefined: what we may, it may. */
  readonly privileges?: Privileges | undefined;
  /** `<service>:<generation>`: marks the child and its descendants, to find those that leave its session. */
  readonly tag: string;
}

/** Never called synchronously. Either `failed` alone, or ready and messages, then `exited`, then `emptied`. */
export interface SpawnEvents {
  /** It could not be started; nothing lives. */
  failed(error: Error): void;
  /** The newline on the ready descriptor, or "ready" on Node's channel. At most once, before `exited`. */
  ready(): void;
  /** A line from the channel, without its end. All lines come before `exited`. */
  message(line: string): void;
  /** A message of sd_notify(3), before `exited`. */
  notified?(assignments: ReadonlyMap<string, string>): void;
  /** The leader was reaped; its family may live on. */
  exited(exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null }): void;
  /** No live process of its group, session or tag remains. Zombies do not count. */
  emptied(): void;
}

export interface SpawnedProcess {
  readonly pid: number;
  readonly stdin: Writable | undefined;
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  /** Writes a line to the channel; nothing without one. False: it does not read, and the line is lost. */
  send(line: string): boolean;
  /** Bytes on the channel that it has not read. */
  waiting(): number;
  /** While held its lines on the channel are not read. */
  hold(held: boolean): void;
  /**
   * Returns how many live processes it reached; that none is left, only `emptied` says. SIGKILL to everything holds: what the family forks meanwhile, or what
   * of it shows itself only after the leader's death, is killed as well.
   */
  signal(signal: NodeJS.Signals, target: SignalTarget): number;
  /** Bytes of memory of its own that it and its descendants use; 0 after its end. */
  memory(): number;
}

/** Where the channel is in the child, ours or Node's: no program has both. */
const CHANNEL_FD = 3;

let prepared = false;

/** Undefined: it failed, and `failed` will say why. */
export function spawnProcess(options: SpawnOptions, events: SpawnEvents): SpawnedProcess | undefined {
  prepare();
  const fds: number[] = [];
  const written: number[] = [];
  let notifySocket: NotifySocket | undefined;
  try {
    if (options.notify) {
      notifySocket = openNotifySocket(options.notify.path, options.identity, (assignments) =>
        events.notified?.(assignments),
      );
    }
    const pipeOf = (): { read: number; write: number } => {
      const pipe = openPipe();
      fds.push(pipe.read);
      written.push(pipe.write);
      lend(pipe.write, options.identity);
      return pipe;
    };
    const stdout = pipeOf();
    const stderr = pipeOf();
    const ready = options.readyFd === undefined ? undefined : pipeOf();
    const stdio: ChildOptions['stdio'][number][] = [
      options.stdin ? 'pipe' : 'ignore',
      stdout.write,
      stderr.write,
    ];
    if (options.channel || options.nodeChannel) stdio[CHANNEL_FD] = 'pipe';
    if (ready && options.readyFd !== undefined) stdio[options.readyFd] = ready.write;
    const child = start(
      options,
      Array.from(stdio, (each) => each ?? 'ignore'),
    );
    // An early failure has its event one tick later, but no pid from the start.
    if (child.pid === undefined) {
      notifySocket?.close();
      child.onFailure((error) => events.failed(explain(error, options)));
      for (const fd of fds) closeSync(fd);
      return undefined;
    }
    if (options.oomScoreAdj === undefined) setOomScore(child.pid, options.usualOomScore);
    return follow(child, child.pid, options, events, {
      stdout: openOutputPipe(stdout.read),
      stderr: openOutputPipe(stderr.read),
      ready: ready?.read,
      notify: notifySocket,
    });
  } catch (error) {
    notifySocket?.close();
    for (const fd of fds) closeSync(fd);
    setImmediate(() => events.failed(explain(error, options)));
    return undefined;
  } finally {
    for (const fd of written) closeSync(fd);
  }
}

function start(options: SpawnOptions, stdio: ChildOptions['stdio']): Child {
  const { argv, ids, patience, around } = confineCommand(
    options.argv,
    options,
    options.env.PATH,
    options.cwd,
  );
  const env = {
    ...options.env,
    ...notifyVariables(options.notify),
    ...(options.nodeChannel ? nodeChannelVariables(CHANNEL_FD) : {}),
    [TAG_VARIABLE]: options.tag,
  };
  // The mask can only be set for ourselves; a child inherits it.
  const mask = process.umask(options.umask ?? 0o022);
  try {
    return around(() =>
      withPriority(options, () => {
        const child = startChild({ argv, env, cwd: options.cwd, stdio, ids });
        if (child.pid !== undefined && patience > 0) makePatient(child.pid, patience);
        return child;
      }),
    );
  } finally {
    process.umask(mask);
  }
}

/** sd_notify(3), sd_watchdog_enabled(3) */
function notifyVariables(notify: SpawnOptions['notify']): Record<string, string> {
  if (!notify) return {};
  const { path, watchdog } = notify;
  return {
    NOTIFY_SOCKET: path,
    ...(watchdog === undefined ? {} : { WATCHDOG_USEC: String(watchdog * 1000) }),
  };
}

function follow(
  child: Child,
  pid: number,
  options: SpawnOptions,
  events: SpawnEvents,
  pipes: {
    readonly stdout: OutputPipe;
    readonly stderr: OutputPipe;
    readonly ready: number | undefined;
    readonly notify: NotifySocket | undefined;
  },
): SpawnedProcess {
  const leader = { pid, tag: options.tag, gone: false, condemned: false };
  const leave = enterFamily(leader);
  let empty = false;
  const channel: Channel | undefined = openChannel(child.socket(CHANNEL_FD), options.channel, (line) =>
    events.message(line),
  );
  const readiness = options.nodeChannel
    ? readNodeChannel(child.socket(CHANNEL_FD), () => events.ready())
    : pipes.ready === undefined
      ? undefined
      : readReadiness(pipes.ready, () => events.ready());
  child.onExit((exit) => {
    leader.gone = true;
    readiness?.close();
    pipes.notify?.close();
    const tell = (): void => {
      events.exited(exit);
      whenEmpty(leader, () => {
        empty = true;
        leave();
        events.emptied();
      });
    };
    // The last words of a program explain its exit, so they must not come after it.
    if (channel) channel.drain(tell);
    else tell();
  });
  return {
    pid,
    stdin: child.stdin,
    stdout: pipes.stdout,
    stderr: pipes.stderr,
    send: (line) => channel?.send(line) ?? true,
    waiting: () => channel?.waiting ?? 0,
    hold: (held) => channel?.hold(held),
    memory: () => (leader.gone ? 0 : readFamilyMemory(leader)),
    signal: (signal, target) => {
      if (empty) return 0;
      if (signal === 'SIGKILL' && target === 'everything') leader.condemned = true;
      return signalFamily(child, leader, signal, target);
    },
  };
}

function prepare(): void {
  if (prepared) return;
  prepared = true;
  registerChildren();
  // Node opens nothing that a child would inherit; what whoever started us had left open would go through.
  for (const name of readdirSync('/proc/self/fd')) if (Number(name) > 2) closeOnExec(Number(name));
}

/** A program may open its stdout anew only if it may write to it, and so may one that has changed user since. */
function lend(fd: number, identity: SpawnOptions['identity']): void {
  try {
    fchmodSync(fd, 0o622);
    if (identity) fchownSync(fd, identity.uid, identity.gid);
  } catch {
    // Without CAP_CHOWN the mode alone has to do.
  }
}

function explain(error: unknown, options: SpawnOptions): Error {
  return explainSpawnFailure(error, { argv: options.argv, cwd: options.cwd, user: options.identity?.name });
}
