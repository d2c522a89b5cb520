/** Starts runs for the services room: resolves, spawns, and gives their output to the logs room. */
import type { Clock } from '../base/clock.ts';
import type { RunPlan } from '../config/plan.ts';
import type { Report } from '../protocol/channel.ts';
import type { SpawnEvents, SpawnedProcess } from '../system/process.ts';
import { spawnProcess } from '../system/process.ts';
import type { Logs } from './logs/logs.ts';
import { type LaunchSource, type Resolved, resolveLaunch } from './resolve-launch.ts';
import type { IncarnationEvents, Launcher } from './services/ports.ts';
import { waitAtMost } from './wait-at-most.ts';

/** How long an exit waits for the last words behind it: they usually are in the pipe already. */
const LAST_WORDS_MS = 50;
/** What still holds the pipe when the whole family is dead belongs to nobody we know. */
const LEFTOVER_MS = 100;

export interface LauncherHooks {
  /** A line of this generation matched `ready.log`. */
  logMatched(name: string, generation: number): void;
}

export function createLauncher(
  source: LaunchSource,
  logs: Logs,
  clock: Clock,
  hooks: LauncherHooks,
): Launcher {
  return {
    launch(run, generation, events) {
      const resolved = tryResolve(run, source, events);
      if (resolved === undefined) return { incarnation: undefined };
      if (run.kind === 'service' && run.ready?.kind === 'log') {
        logs.onMatch(run.name, generation, run.ready.pattern, () => hooks.logMatched(run.name, generation));
      }
      return { incarnation: spawnRun(run, generation, resolved, logs, clock, events) };
    },
  };
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
  logs: Logs,
  clock: Clock,
  events: IncarnationEvents,
): SpawnedProcess | undefined {
  let drained: Promise<void> = Promise.resolve();
  let closeWithin: (ms: number) => void = () => undefined;
  let exitTold: Promise<void> = Promise.resolve();
  const told: SpawnEvents = {
    failed: (error) => events.failed(error),
    ready: () => events.ready(),
    message: (line) => readReport(line, (report) => events.report(report), logs, run.name),
    exited: (exit) => {
      exitTold = waitAtMost(drained, LAST_WORDS_MS, clock).then(() => events.exited(exit));
    },
    emptied: () => {
      closeWithin(LEFTOVER_MS);
      void exitTold.then(() => events.emptied());
    },
  };
  const child = spawnProcess(spawnOptions(run, `${run.name}:${generation}`, resolved), told);
  if (child === undefined) return undefined;
  if (resolved.assignment) child.send(JSON.stringify(resolved.assignment));
  const attachment = logs.attach(run.name, generation, child, child.pid);
  drained = attachment.drained;
  closeWithin = (ms) => attachment.closeWithin(ms);
  return child;
}

/** What is asked of the OS for a run of the plan. */
export function spawnOptions(
  run: Pick<RunPlan, 'nice' | 'oomScoreAdj'> & {
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
    channel: resolved.assignment !== undefined,
    nice: run.nice,
    oomScoreAdj: run.oomScoreAdj,
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
