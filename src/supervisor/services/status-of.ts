import type { RunPlan } from '../../config/plan-runs.ts';
import { progressText } from '../../protocol/overall.ts';
import type { CheckStatus, ExitStatus, Progress, ServiceStatus, StatusWord } from '../../protocol/status.ts';
import type { State } from './state.ts';
import { reasonOf, wordOf } from './words.ts';

/** What is known of a run besides its state. */
export interface Surroundings {
  /** The sentence of what keeps it from starting. */
  readonly blocked: string | undefined;
  readonly pid: number | undefined;
  /** Since the epoch: when the status word became true; when the last leader ended. */
  readonly since: number;
  readonly exitedAt: number | undefined;
  readonly progress: Progress | undefined;
  readonly check: CheckStatus | undefined;
  /** Asked only for a run that is not well. */
  readonly lastLine: (() => string | undefined) | undefined;
  /** The same moment on both clocks. */
  readonly mono: number;
  readonly wall: number;
}

/** The public status of a run: derived, never stored, so that everybody who asks hears the same. Pure. */
export function statusOf(state: State, run: RunPlan, around: Surroundings): ServiceStatus {
  const status = wordOf(state, run.kind);
  return {
    name: run.name,
    ...(run.replicaOf === undefined ? {} : { replicaOf: run.replicaOf }),
    kind: run.kind,
    status,
    // A task that is done may say what it did: that is why it took so long.
    reason:
      status === 'done' && around.progress !== undefined
        ? progressText(around.progress)
        : reasonOf(state, run, around.blocked, around.mono),
    since: new Date(around.since).toISOString(),
    generation: state.generation,
    pid: around.pid,
    critical: run.critical,
    restarts: state.restarts,
    nextStart: nextStart(state, around),
    startedIn: startedIn(state, run.kind),
    lastExit: lastExit(state, around.exitedAt),
    lastLine: isNotWell(status) ? around.lastLine?.() : undefined,
    check: around.check,
    progress: status === 'starting' || status === 'failed' ? around.progress : undefined,
  };
}

function nextStart(state: State, around: Surroundings): string | undefined {
  if ((state.phase !== 'backoff' && state.phase !== 'failed') || state.deadline === undefined)
    return undefined;
  return new Date(around.wall + Math.max(0, state.deadline - around.mono)).toISOString();
}

function startedIn(state: State, kind: RunPlan['kind']): number | undefined {
  const reached = kind === 'task' && state.phase === 'done' ? state.endedAt : state.readyAt;
  return reached === undefined || state.spawnedAt === undefined ? undefined : reached - state.spawnedAt;
}

function lastExit(state: State, at: number | undefined): ExitStatus | undefined {
  if (state.exit === undefined || at === undefined) return undefined;
  return { code: state.exit.code, signal: state.exit.signal, at: new Date(at).toISOString() };
}

function isNotWell(status: StatusWord): boolean {
  return status === 'unhealthy' || status === 'backoff' || status === 'failed';
}
