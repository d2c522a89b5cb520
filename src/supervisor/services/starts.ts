/** Who may start now: those whose dependencies are met, until all of the boot has started or one never can. */
import type { Clock } from '../../base/clock.ts';
import { BootWatch } from './boot-watch.ts';
import { type Blocked, blockedBy } from './dependencies.ts';
import type { Runner } from './runner.ts';
import type { EndedCause } from './state.ts';
import type { Unit } from './unit.ts';

export interface StartsOptions {
  readonly units: ReadonlyMap<string, Unit>;
  readonly clock: Pick<Clock, 'mono'>;
  readonly runner: Pick<Runner, 'send' | 'tell'>;
  /** The end was told: the boot is nobody's concern any more. */
  hasEnded(): boolean;
  end(cause: EndedCause, service: string, reason: string): void;
}

export class Starts {
  readonly #options: StartsOptions;
  readonly #boot = new BootWatch();

  constructor(options: StartsOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#boot.begin(this.#options.clock.mono());
  }

  /** What it waits for; undefined: nothing. */
  blocked(unit: Unit): Blocked | undefined {
    return blockedBy(unit.run, (name) => this.#options.units.get(name));
  }

  /** Asked whenever the state of one has changed. */
  review(): void {
    const { units, runner } = this.#options;
    const ready: Unit[] = [];
    for (const unit of units.values()) {
      if (unit.state.phase !== 'waiting') continue;
      const blocked = this.blocked(unit);
      if (blocked === undefined) ready.push(unit);
      else if (blocked.failed !== undefined && unit.run.critical)
        this.#endBlocked(unit, blocked, blocked.failed);
    }
    if (ready.length > 0) runner.send(ready, { type: 'dependenciesMet' });
    else this.#reviewBoot();
  }

  #reviewBoot(): void {
    const { units, clock, runner, hasEnded } = this.#options;
    if (hasEnded()) return;
    this.#boot.review([...units.values()], clock.mono(), {
      booted: (ms) => runner.tell('booted', ms),
      settled: () => runner.tell('settled'),
    });
  }

  /** A critical run that can never start is as good as failed. */
  #endBlocked(unit: Unit, blocked: Blocked, failed: string): void {
    const { units, end } = this.#options;
    const isTask = units.get(failed)?.run.kind === 'task';
    end(isTask ? 'taskFailed' : 'criticalGaveUp', unit.name, blocked.reason);
  }
}
