import type { RestartPlan, RunPlan } from '../../config/plan-runs.ts';
import type { Policy } from './state.ts';

/** A run of restart "no more than so often" gives up for good; one that gives up by rate is tried again after this. */
export const SLOW_RETRY = 600_000;

/** What the machine must know of a run. A task's retries are a restart policy too: one path for every failure. */
export function policyOf(run: RunPlan, slowRetry: number | undefined): Policy {
  const base = {
    critical: run.critical,
    startTimeout: run.startTimeout,
    ladder: run.stop,
    exitCodes: run.exitCodes,
  };
  if (run.kind === 'task') {
    return {
      ...base,
      kind: 'task',
      awaits: { word: false, check: false },
      onUnhealthy: 'ignore',
      restart: taskRestart(run.retries),
      slowRetry: undefined,
    };
  }
  const { giveUp } = run.restart;
  const byRate = run.restart.policy !== 'no' && giveUp !== undefined && Number.isFinite(giveUp.window);
  return {
    ...base,
    kind: 'service',
    awaits: { word: run.ready !== undefined, check: run.healthcheck !== undefined },
    onUnhealthy: run.onUnhealthy,
    restart: run.restart,
    // "no" means never. A critical one that gives up ends the container: whoever restarts that is its slow retry. Replicas go on as long
    // as one of them is up.
    slowRetry: (run.critical && run.replicaOf === undefined) || !byRate ? undefined : slowRetry,
  };
}

function taskRestart(retries: number): RestartPlan {
  return {
    policy: 'on-failure',
    initialDelay: 1000,
    maxDelay: 30_000,
    stableAfter: Number.POSITIVE_INFINITY,
    giveUp: { limit: retries, window: Number.POSITIVE_INFINITY },
  };
}
