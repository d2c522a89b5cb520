/** Whether a run may start now, by Compose's three conditions; and if not, why, in words. */
import type { Dependency, RunPlan } from '../../config/plan-runs.ts';
import type { State } from './state.ts';
import { describeFailure } from './words.ts';

export interface Seen {
  readonly run: RunPlan;
  readonly state: State;
}

export interface Blocked {
  /** "waiting for database to be healthy" */
  readonly reason: string;
  /** A required dependency that has failed for good, however far down. */
  readonly failed: string | undefined;
}

/**
 * What keeps a run from starting; undefined: nothing. Asked before every start, also after a backoff; a dependency
 * that goes away later never stops a run that is up. `see` finds a run by name, undefined: this tier has none.
 */
export function blockedBy(run: RunPlan, see: (name: string) => Seen | undefined): Blocked | undefined {
  const unmet = Object.entries(run.dependsOn)
    .map(([name, dependency]) => ({ name, dependency, seen: see(name) }))
    .filter(({ dependency, seen }) => !isMet(dependency, seen));
  if (unmet.length === 0) return undefined;
  const failed = unmet
    .map(({ name, seen }) => rootFailure(name, seen, see))
    .find((name) => name !== undefined);
  return {
    reason: `waiting for ${unmet.map(({ name, dependency, seen }) => inWords(name, dependency, seen)).join(', ')}`,
    failed,
  };
}

function isMet({ condition, required }: Dependency, seen: Seen | undefined): boolean {
  if (seen === undefined) return !required;
  const { phase, spawned, unhealthy, failures, wanted } = seen.state;
  if (phase === 'done') return true;
  if (condition !== 'service_completed_successfully') {
    if (phase === 'up' && (condition === 'service_started' || unhealthy === undefined)) return true;
    if (condition === 'service_started' && phase === 'starting' && spawned) return true;
  }
  if (required) return false;
  // An optional one is waited for on its first way up only: nothing of it that fails may hold others back.
  const onItsWay = phase === 'waiting' || phase === 'starting';
  return !(wanted === 'up' && onItsWay && failures.times.length === 0 && unhealthy === undefined);
}

const conditionWords = {
  service_started: 'to start',
  service_healthy: 'to be healthy',
  service_completed_successfully: 'to finish',
} as const;

function inWords(name: string, dependency: Dependency, seen: Seen | undefined): string {
  if (seen === undefined) return `${name}, which this tier does not have`;
  const { state, run } = seen;
  const condition = run.kind === 'task' ? 'to finish' : conditionWords[dependency.condition];
  if (state.phase === 'failed') return `${name}, which failed: ${describeFailure(state, run)}`;
  if (state.phase === 'down' || state.wanted === 'down') return `${name}, which is stopped`;
  if (state.phase === 'backoff') return `${name} ${condition}: it ${describeFailure(state, run)}`;
  if (state.unhealthy !== undefined) return `${name} ${condition}: ${state.unhealthy}`;
  return `${name} ${condition}`;
}

function rootFailure(
  name: string,
  seen: Seen | undefined,
  see: (name: string) => Seen | undefined,
): string | undefined {
  if (seen?.state.phase === 'failed') return name;
  if (seen?.state.phase !== 'waiting') return undefined;
  for (const [next, dependency] of Object.entries(seen.run.dependsOn)) {
    const root = dependency.required ? rootFailure(next, see(next), see) : undefined;
    if (root !== undefined) return root;
  }
  return undefined;
}
