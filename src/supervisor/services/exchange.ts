/**
 * One plan taken over in the place of another. Replicas of one service that have to restart do so one after the other:
 * each gets its new settings at its turn, when the one before it is ready with them. One that is not ends it, and those
 * that had no turn go on with what they had; the next reload finds them different still and begins with them again.
 */
import type { Clock } from '../../base/clock.ts';
import type { RunPlan } from '../../config/plan-runs.ts';
import type { RunChange } from './reload.ts';
import type { Input } from './state.ts';
import type { Unit } from './unit.ts';
import { reasonOf, wordOf } from './words.ts';

/** Where nothing but the start says "ready": it has to live so long before the next one's turn. ms */
const SETTLING = 1000;

export interface ExchangeOptions {
  readonly clock: Pick<Clock, 'mono' | 'after'>;
  readonly units: ReadonlyMap<string, Unit>;
  /** A new unit, or its new settings for the one there is. */
  readonly adopt: (run: RunPlan) => void;
  readonly send: (units: Iterable<Unit>, input: Input) => void;
  /** A roll ended before its end; `left` still run as before. */
  readonly halted: (group: string, reason: string, left: readonly string[]) => void;
}

interface Roll {
  readonly group: string;
  /** Whose turn it is, and the generation it has to be ready in. */
  current: { readonly unit: Unit; readonly generation: number } | undefined;
  /** Those after it, with their new settings. */
  readonly next: RunPlan[];
  disarm: (() => void) | undefined;
}

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #rolls = new Set<Roll>();

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** `changes`: what differs between what there is and `runs`. */
  apply(runs: readonly RunPlan[], changes: readonly RunChange[]): void {
    const { adopt, send, units } = this.#options;
    this.cancel();
    const find = (action: RunChange['action']): Unit[] =>
      changes.filter((change) => change.action === action).flatMap(({ service }) => units.get(service) ?? []);
    const next = new Map(runs.map((run) => [run.name, run]));
    const restarts = find('restart').filter(({ state }) => state.wanted === 'up');
    const groups = [...Map.groupBy(restarts, groupOf)].filter(
      ([group, members]) => group !== undefined && members.length > 1,
    );
    const rolled = new Set(groups.flatMap(([, members]) => members));
    for (const run of runs) {
      const unit = units.get(run.name);
      if (unit === undefined || !rolled.has(unit)) adopt(run);
    }
    for (const unit of units.values()) unit.leaving = !next.has(unit.name);
    send(find('stop'), { type: 'wantDown' });
    send(
      restarts.filter((unit) => !rolled.has(unit)),
      { type: 'wantRestart' },
    );
    send(find('start'), { type: 'wantUp' });
    for (const [group = '', members] of groups)
      this.#begin(
        group,
        members.flatMap(({ name }) => next.get(name) ?? []),
      );
  }

  /** Something changed: goes on where one is ready, ends where one is not. */
  review(): void {
    for (const roll of this.#rolls) this.#look(roll);
  }

  /** Nobody's turn comes any more. */
  cancel(): void {
    for (const { disarm } of this.#rolls) disarm?.();
    this.#rolls.clear();
  }

  #begin(group: string, next: RunPlan[]): void {
    const roll: Roll = { group, current: undefined, next, disarm: undefined };
    this.#rolls.add(roll);
    this.#goOn(roll);
  }

  /** The turn of the first that is still wanted. Known before it is asked: what is sent is looked at at once. */
  #goOn(roll: Roll): void {
    const { adopt, send, units } = this.#options;
    roll.disarm?.();
    roll.disarm = undefined;
    for (let run = roll.next.shift(); run !== undefined; run = roll.next.shift()) {
      const unit = units.get(run.name);
      adopt(run);
      if (unit === undefined || unit.state.wanted !== 'up') continue;
      roll.current = { unit, generation: unit.state.generation + 1 };
      send([unit], { type: 'wantRestart' });
      return;
    }
    this.#rolls.delete(roll);
  }

  #look(roll: Roll): void {
    if (roll.current === undefined) return;
    const { unit, generation } = roll.current;
    const { state, run } = unit;
    const isBeyond = state.generation > generation;
    const isNew = state.generation === generation;
    const hasFailed = isNew && (state.phase === 'backoff' || state.phase === 'clearing');
    if (isBeyond || hasFailed || state.phase === 'failed' || state.wanted === 'down') this.#halt(roll, unit);
    else if (isNew && state.phase === 'done') this.#goOn(roll);
    else if (isNew && state.phase === 'up') {
      const isChecked = run.kind === 'service' && (run.ready ?? run.healthcheck) !== undefined;
      if (isChecked) this.#goOn(roll);
      else roll.disarm ??= this.#options.clock.after(SETTLING, () => this.#goOn(roll));
    }
  }

  #halt(roll: Roll, unit: Unit): void {
    roll.disarm?.();
    this.#rolls.delete(roll);
    if (roll.next.length === 0) return;
    const why = reasonOf(unit.state, unit.run, undefined, this.#options.clock.mono());
    const reason = `${unit.name} is ${wordOf(unit.state, unit.run.kind)}${why === '' ? '' : ` (${why})`}`;
    this.#options.halted(
      roll.group,
      reason,
      roll.next.map(({ name }) => name),
    );
  }
}

function groupOf({ run }: Unit): string | undefined {
  return run.replicaOf;
}
