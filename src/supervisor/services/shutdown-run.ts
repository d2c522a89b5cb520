import type { Clock } from '../../base/clock.ts';
import type { ShutdownPlan } from './shutdown.ts';
import { dueToStop, planShutdown, stopBy } from './shutdown.ts';
import { isLive } from './state.ts';
import type { Unit } from './unit.ts';

export interface ShutdownResult {
  /** Names of the runs that had to be killed, or that still live though the budget is spent. */
  readonly unclean: readonly string[];
}

export interface ShutdownRunOptions {
  readonly units: ReadonlyMap<string, Unit>;
  readonly clock: Clock;
  /** The whole budget, ms. */
  readonly total: number;
  readonly ask: (unit: Unit, by: number, hurried: boolean) => void;
}

/** One stop of everything under way: whose turn it is, and when it is over. */
export class ShutdownRun {
  readonly over: Promise<ShutdownResult>;
  readonly #options: ShutdownRunOptions;
  readonly #plan: ShutdownPlan;
  readonly #asked = new Set<string>();
  /**
   * Those it stops, and those people stopped before: what was killed because its time was up is a failure, and no
   * matter of a stop.
   */
  readonly #found: ReadonlySet<string>;
  readonly #resolve: (result: ShutdownResult) => void;
  readonly #disarm: () => void;
  /** Set once all that live were asked: nobody's turn is to be found any more, only the last end. */
  #lastSeenLive: Unit | undefined;
  #isOver = false;
  #isHurried = false;

  constructor(options: ShutdownRunOptions) {
    this.#options = options;
    const { units, clock, total } = options;
    const runs = [...units.values()].map((unit) => unit.run);
    this.#found = new Set(
      [...units.values()]
        .filter(({ state }) => isLive(state.phase) || state.phase === 'down')
        .map((unit) => unit.name),
    );
    this.#plan = planShutdown(runs, clock.mono(), total);
    const { promise, resolve } = Promise.withResolvers<ShutdownResult>();
    this.over = promise;
    this.#resolve = resolve;
    this.#disarm = clock.after(total, () => this.#finish());
  }

  /** Whether this is the first time; those whose turn comes later are hurried then. */
  hurry(): boolean {
    if (this.#isHurried) return false;
    this.#isHurried = true;
    return true;
  }

  /** Something changed: asks those whose turn has come, ends when nothing lives. */
  review(): void {
    if (this.#isOver) return;
    // Asked at each of a thousand ends: as long as one that lived still does, nothing else needs a look.
    if (this.#lastSeenLive && isLive(this.#lastSeenLive.state.phase)) return;
    const { units, clock, ask } = this.#options;
    const live = [...units.values()].filter((unit) => isLive(unit.state.phase));
    if (live.length === 0) this.#finish();
    if (live.every((unit) => this.#asked.has(unit.name))) {
      this.#lastSeenLive = live[0];
      return;
    }
    const now = clock.mono();
    const due = new Set(dueToStop(this.#plan, new Set(live.map((unit) => unit.name)), this.#asked));
    for (const unit of live.filter(({ name }) => due.has(name))) {
      this.#asked.add(unit.name);
      ask(unit, stopBy(this.#plan, unit.name, now), this.#isHurried);
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#disarm();
    const units = [...this.#options.units.values()];
    // Whoever is left could not be killed; nobody waits for it any more.
    for (const unit of units) unit.timer?.disarm();
    const unclean = units.filter(
      (unit) => (unit.forced && this.#found.has(unit.name)) || isLive(unit.state.phase),
    );
    this.#resolve({ unclean: unclean.map((unit) => unit.name) });
  }
}
