import type { Input } from './state.ts';
import { isLive } from './state.ts';
import type { Unit } from './unit.ts';

type Send = (units: readonly Unit[], input: Input) => void;

/**
 * One restart of runs with all that depends on them: stopped from the leaves down, then started from the root up,
 * tasks run again. Meanwhile nothing of it starts by itself, and none of its ends is a failure.
 */
export class TreeRestart {
  readonly #units: ReadonlyMap<string, Unit>;
  readonly #names: readonly string[];
  readonly #again: Set<string>;
  readonly #send: Send;

  /** Those named are started in any case, their dependents only where they were wanted. */
  constructor(units: ReadonlyMap<string, Unit>, named: readonly Unit[], send: Send) {
    this.#units = units;
    this.#send = send;
    this.#names = withDependents(
      units,
      named.map(({ name }) => name),
    );
    const again = this.#present().filter((unit) => unit.state.wanted === 'up' || named.includes(unit));
    this.#again = new Set(again.map(({ name }) => name));
  }

  /** Returns who will be up again when it is over, in the order of the plan. */
  begin(): readonly string[] {
    const again = this.#names.filter((name) => this.#again.has(name));
    this.#send(this.#present(), { type: 'shutDown' });
    return again;
  }

  /** Somebody stopped these meanwhile: they stay so. */
  leaveStopped(names: readonly string[]): void {
    for (const name of names) this.#again.delete(name);
  }

  /** Something changed: stops those whose turn has come, starts all when nothing lives. Returns whether it is over. */
  review(): boolean {
    const live = this.#present().filter(({ state }) => isLive(state.phase));
    if (live.length === 0) {
      const again = this.#present().filter(({ name }) => this.#again.has(name));
      this.#send(again, { type: 'wantRestart' });
      return true;
    }
    const isNeeded = (unit: Unit): boolean => live.some(({ run }) => unit.name in run.dependsOn);
    // Also one that a person has asked to start meanwhile.
    const runs = ({ state }: Unit): boolean =>
      state.wanted === 'up' || state.phase === 'starting' || state.phase === 'up';
    const due = live.filter((unit) => runs(unit) && !isNeeded(unit));
    if (due.length > 0) this.#send(due, { type: 'wantDown' });
    return false;
  }

  /** A reload may have taken some away. */
  #present(): Unit[] {
    return this.#names.flatMap((name) => this.#units.get(name) ?? []);
  }
}

/** These and whatever depends on them, however far up, in the order of the plan. */
function withDependents(units: ReadonlyMap<string, Unit>, names: readonly string[]): readonly string[] {
  const all = new Set(names);
  for (let before = 0; before < all.size; ) {
    before = all.size;
    for (const { name, run } of units.values()) {
      if (Object.keys(run.dependsOn).some((dependency) => all.has(dependency))) all.add(name);
    }
  }
  return [...units.keys()].filter((name) => all.has(name));
}
