import type { RunPlan } from '../../config/plan-runs.ts';
import type { Progress, StatusWord } from '../../protocol/status.ts';
import { policyOf } from './policy.ts';
import type { Incarnation } from './ports.ts';
import { noSuchService } from './refusals.ts';
import type { Policy, State } from './state.ts';
import { initialState } from './state.ts';

/** One run and all that is kept of it. Only the runner writes it. */
export interface Unit {
  readonly name: string;
  run: RunPlan;
  policy: Policy;
  state: State;
  /** Of the current generation, while something of it may live. */
  incarnation: Incarnation | undefined;
  /** The status word that was announced last, and since when (wall clock). */
  word: StatusWord;
  since: number;
  /** Wall clock: when the last leader ended. */
  exitedAt: number | undefined;
  progress: Progress | undefined;
  /** What this generation itself said about its failure. */
  told: string | undefined;
  /** This generation was reached by a signal after which a stop is no clean one. */
  forced: boolean;
  /** The one timer, and the deadline it is set for. */
  timer: { readonly deadline: number; readonly disarm: () => void } | undefined;
  /** No longer in the plan: forgotten as soon as nothing of it lives. */
  leaving: boolean;
}

export function newUnit(run: RunPlan, slowRetry: number | undefined, now: number): Unit {
  return {
    name: run.name,
    run,
    policy: policyOf(run, slowRetry),
    state: initialState,
    incarnation: undefined,
    word: 'stopped',
    since: now,
    exitedAt: undefined,
    progress: undefined,
    told: undefined,
    forced: false,
    timer: undefined,
    leaving: false,
  };
}

/** Ready, or done with its work. */
export function isThere(unit: Unit): boolean {
  return unit.state.phase === 'up' || unit.state.phase === 'done';
}

/** It came to something: it is there, was not wanted, or has failed at least once. */
export function hasSettled(unit: Unit): boolean {
  const { phase, wanted, failures } = unit.state;
  return isThere(unit) || phase === 'failed' || wanted === 'down' || failures.times.length > 0;
}

/** Another replica of the same service is up: the container need not end for this one. */
export function isCovered(unit: Unit, units: Iterable<Unit>): boolean {
  const { replicaOf } = unit.run;
  if (replicaOf === undefined) return false;
  return [...units].some(
    (other) => other !== unit && other.run.replicaOf === replicaOf && other.state.phase === 'up',
  );
}

/** The order of the plan is the order people are shown; those that leave come first. */
export function sortUnits(units: Map<string, Unit>, runs: readonly RunPlan[]): void {
  for (const { name } of runs) {
    const unit = units.get(name);
    if (unit === undefined) continue;
    units.delete(name);
    units.set(name, unit);
  }
}

/** `verb`: what is wanted of them, for the Failure where a name is none of theirs. */
export function findUnits(
  units: ReadonlyMap<string, Unit>,
  verb: string,
  names: readonly string[],
): readonly Unit[] {
  return names.map((name) => {
    const unit = units.get(name);
    if (unit === undefined) throw noSuchService(`${verb} ${name}`);
    return unit;
  });
}
