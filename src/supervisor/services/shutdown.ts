/**
 * The order and the budget of a stop of everything. A run's turn comes when all that depend on it have stopped, so
 * independent branches never wait for each other. Whatever the others do, the reserved share (PostgreSQL's checkpoint)
 * is kept: they must be gone by `othersEnd`. Pure; the runner asks.
 */
import type { RunPlan } from '../../config/plan-runs.ts';

export interface ShutdownPlan {
  /** Monotonic: everything must be over. */
  readonly end: number;
  /** Monotonic: those without a reserved share must be over. */
  readonly othersEnd: number;
  readonly dependents: ReadonlyMap<string, readonly string[]>;
  readonly reserved: ReadonlySet<string>;
  /** How many runs without a reserved share stop one after the other from here on, this one included. */
  readonly heights: ReadonlyMap<string, number>;
}

/** The time between the last SIGKILL and the end: the killed must still be reaped. ms */
const MARGIN = 250;

/** `startedAt`: monotonic. `total`: ms from the signal to our own exit. */
export function planShutdown(runs: readonly RunPlan[], startedAt: number, total: number): ShutdownPlan {
  const margin = Math.min(MARGIN, total * 0.1);
  // A reserve larger than the total is a plan's mistake; the others must still get a signal and a moment.
  const reserve = Math.min(total * 0.7, Math.max(0, ...runs.map((run) => run.stop.reserve)));
  const byName = new Map(runs.map((run) => [run.name, run]));
  const end = startedAt + total - margin;
  return {
    end,
    othersEnd: reserve === 0 ? end : end - reserve - margin,
    dependents: dependentsOf(runs),
    reserved: new Set(runs.filter((run) => run.stop.reserve > 0).map((run) => run.name)),
    heights: new Map(runs.map((run) => [run.name, heightOf(run, byName)])),
  };
}

/** Those whose turn it is: not asked yet, and nothing that depends on them lives. */
export function dueToStop(
  plan: ShutdownPlan,
  live: ReadonlySet<string>,
  asked: ReadonlySet<string>,
): readonly string[] {
  return [...live].filter(
    (name) => !asked.has(name) && !(plan.dependents.get(name) ?? []).some((dependent) => live.has(dependent)),
  );
}

/** By when (monotonic) a run that is asked now must be gone: a fair part, so that those after it get theirs. */
export function stopBy(plan: ShutdownPlan, name: string, now: number): number {
  if (plan.reserved.has(name)) return plan.end;
  const left = Math.max(0, plan.othersEnd - now);
  // What stops only after the database has what the database left.
  if (left === 0) return isBelowReserved(plan, name) ? plan.end : plan.othersEnd;
  return now + left / Math.max(1, plan.heights.get(name) ?? 1);
}

function isBelowReserved(plan: ShutdownPlan, name: string, seen = new Set<string>()): boolean {
  return (plan.dependents.get(name) ?? []).some((dependent) => {
    if (plan.reserved.has(dependent)) return true;
    if (seen.has(dependent)) return false;
    seen.add(dependent);
    return isBelowReserved(plan, dependent, seen);
  });
}

function dependentsOf(runs: readonly RunPlan[]): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>(runs.map((run) => [run.name, []]));
  for (const run of runs) {
    for (const name of Object.keys(run.dependsOn)) dependents.get(name)?.push(run.name);
  }
  return dependents;
}

function heightOf(run: RunPlan, byName: ReadonlyMap<string, RunPlan>): number {
  // Tasks are over by the time others stop; those that are not share the budget of their level.
  const below = Object.keys(run.dependsOn)
    .map((name) => byName.get(name))
    .filter((next) => next !== undefined)
    .map((next) => heightOf(next, byName));
  const own = run.kind === 'service' && run.stop.reserve === 0 ? 1 : 0;
  return own + Math.max(0, ...below);
}
