/** Starts runs for the services room: resolves, spawns, and gives their output to the logs room. */
import type { Clock } from '../base/clock.ts';
import type { RunPlan } from '../config/plan-runs.ts';
import type { Report } from '../protocol/channel.ts';
import type { SpawnEvents, SpawnedProcess, SpawnOptions } from '../system/process.ts';
import { spawnProcess } from '../system/process.ts';
import type { LaunchSource } from './launch-source.ts';
import type { Logs } from './logs/logs.ts';
import { limitMemory } from './memory-limit.ts';
import { watchMemory } from './memory-watch.ts';
import { ALIVE, followNotifications, wantsNotifications } from './notifications.ts';
import { type FollowLines, followRecovery } from './recovery-progress.ts';
import { type Resolved, resolveLaunch } from './resolve-launch.ts';
import type { Exit, IncarnationEvents, Launcher } from './services/ports.ts';
import { waitAtMost } from './wait-at-most.ts';

/** How long an exit waits for the last words behind it: they usually are in the pipe already. */
const LAST_WORDS_MS = 50;
/** Of a STATUS=, in characters. */
const LONGEST_STATUS = 200;
/** The failure of a run that the kernel ended for want of memory. */
export const OUT_OF_MEMORY = 'killed by the kernel: out of memory';
/** What still holds the pipe when the whole family is dead belongs to nobody we know. */
const LEFTOVER_MS = 100;

export interface LauncherHooks {
  /** A line of this generation matched `ready.log`. */
  logMatched(name: string, generation: number): void;
  /** This generation let its watchdog wait; `why` without a final stop. */
  watchdogFailed(name: string, generation: number, why: string): void;
  /** And came back. */
  watchdogPassed(name: string, generation: number): void;
  /** This generation uses more bytes than its plan allows. */
  memoryExceeded(name: string, generation: number, bytes: number): void;
}

/** Its incarnations can be spoken to. */
export interface HallLauncher extends Launcher {
  launch(
    run: RunPlan,
    generation: number,
    events: IncarnationEvents,
  ): { readonly incarnation: SpawnedProcess | undefined };
}

export function createLauncher(
  source: LaunchSource,
  logs: Logs,
  clock: Clock,
  hooks: LauncherHooks,
): HallLauncher {
  return {
    launch(run, generation, events) {
      const resolved = tryResolve(run, source, events);
      if (resolved === undefined) return { incarnation: undefined };
      if (run.kind === 'service' && run.ready?.kind === 'log') {
        logs.onMatch(run.name, generation, run.ready.pattern, () => hooks.logMatched(run.name, generation));
      }
      return { incarnation: spawnRun(run, generation, resolved, { source, logs, clock, hooks }, events) };
    },
  };
}

interface Surroundings {
  readonly source: LaunchSource;
  readonly logs: Logs;
  readonly clock: Clock;
  readonly hooks: LauncherHooks;
}

function tryResolve(run: RunPlan, source: LaunchSource, events: IncarnationEvents): Resolved | undefined {
  try {
    return resolveLaunch(run, source);
  } catch (error) {
    setImmediate(() => events.failed(error instanceof Error ? error : new Error(String(error))));
    return undefined;
  }
}

function spawnRun(
  run: RunPlan,
  generation: number,
  resolved: Resolved,
  { source, logs, clock, hooks }: Surroundings,
  events: IncarnationEvents,
): SpawnedProcess | undefined {
  const notifications = followNotifications(run, clock, {
    ready: () => {
      if (run.kind === 'service' && run.ready?.kind === 'notify') events.ready();
    },
    status: (text) => {
      const progress = { what: text.slice(0, LONGEST_STATUS), percent: undefined, detail: undefined };
      events.report({ type: 'progress', progress });
    },
    stopping: () => events.announced(),
    extend: (ms) => events.extended(ms),
    silent: (why) => {
      logs.own('warn', `${run.name} is unhealthy: ${why}`);
      hooks.watchdogFailed(run.name, generation, why);
    },
    spoke: () => hooks.watchdogPassed(run.name, generation),
  });
  const memory = limitMemory(run, source);
  let drained: Promise<void> = Promise.resolve();
  let closeWithin: (ms: number) => void = () => undefined;
  let rush: () => void = () => undefined;
  let killed = false;
  let stopWatch: () => void = () => undefined;
  let leaveRecovery: () => void = () => undefined;
  let exitTold: Promise<void> = Promise.resolve();
  const told: SpawnEvents = {
    failed: (error) => {
      memory.end();
      events.failed(error);
    },
    ready: () => events.ready(),
    message: (line) =>
      readReport(
        line,
        (report) => {
          if (report.type === 'alive') return notifications.take(ALIVE);
          if (report.type !== 'recovery') return events.report(report);
          const follow: FollowLines = (heard) => logs.follow([run.name], ({ line: text }) => heard(text));
          leaveRecovery = followRecovery(report, follow, (progress) => {
            events.report({ type: 'progress', progress });
          });
        },
        logs,
        run.name,
      ),
    notified: (assignments) => notifications.take(assignments),
    exited: (exit) => {
      rush();
      notifications.stop();
      stopWatch();
      leaveRecovery();
      if (isKilled(exit) && !killed && memory.claimOomKill()) {
        events.report({ type: 'failure', message: OUT_OF_MEMORY, remedy: undefined });
      }
      exitTold = waitAtMost(drained, LAST_WORDS_MS, clock).then(() => events.exited(exit));
    },
    emptied: () => {
      closeWithin(LEFTOVER_MS);
      memory.end();
      void exitTold.then(() => events.emptied());
    },
  };
  const options = {
    ...spawnOptions(run, `${run.name}:${generation}`, resolved),
    memoryGroup: memory.procs,
  };
  const child = spawnProcess(
    wantsNotifications(run) ? { ...options, notify: notifyOptions(run, source.runDir) } : options,
    told,
  );
  if (child === undefined) return undefined;
  if (resolved.assignment) child.send(JSON.stringify(resolved.assignment));
  const attachment = logs.attach(run.name, generation, child, child.pid);
  drained = attachment.drained;
  closeWithin = (ms) => attachment.closeWithin(ms);
  rush = () => attachment.rush();
  stopWatch = watchMemory(
    memory.watched,
    () => child.memory(),
    clock,
    (bytes) => hooks.memoryExceeded(run.name, generation, bytes),
  );
  return {
    ...child,
    signal: (signal, target) => {
      killed ||= signal === 'SIGKILL';
      rush();
      return child.signal(signal, target);
    },
  };
}

/** Also what a shell says of its child. */
export function isKilled({ code, signal }: Exit): boolean {
  return signal === 'SIGKILL' || code === 128 + 9;
}

let sockets = 0;

/** A path of its own for every start: a survivor of the last one must not speak for the next. */
function notifyOptions(run: RunPlan, runDir: string): NonNullable<SpawnOptions['notify']> {
  sockets += 1;
  return {
    path: `${runDir}/notify-${sockets}`,
    watchdog: run.kind === 'service' ? run.watchdog : undefined,
  };
}

/** What is asked of the OS for a run of the plan, or an attempt. */
export function spawnOptions(
  run: Pick<RunPlan, 'nice'> & {
    readonly ready?: { readonly kind: string; readonly fd?: number } | undefined;
  },
  tag: string,
  resolved: Resolved,
): Parameters<typeof spawnProcess>[0] {
  return {
    argv: resolved.argv,
    env: resolved.env,
    cwd: resolved.cwd,
    identity: resolved.user,
    readyFd: run.ready?.fd,
    nodeChannel: run.ready?.kind === 'ipc',
    channel: resolved.assignment !== undefined,
    nice: run.nice,
    oomScoreAdj: resolved.oomScoreAdj,
    usualOomScore: resolved.usualOomScore,
    umask: resolved.umask,
    ulimits: resolved.ulimits,
    privileges: resolved.privileges,
    tag,
  };
}

/** A line that is no report is the program's mistake: said, never fatal. */
export function readReport(line: string, tell: (report: Report) => void, logs: Logs, name: string): void {
  try {
    // The other end is this very program: the shape is that of protocol/channel.ts.
    tell(JSON.parse(line) as Report);
  } catch {
    logs.own('warn', `${name} said something on its channel that is no report`);
  }
}
