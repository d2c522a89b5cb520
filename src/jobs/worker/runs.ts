/** The attempts of this worker: begins them, hears their ends, and carries out what their machine decides. */

import type { Clock } from '../../base/clock.ts';
import type { JobTypePlan } from '../../config/plan-jobs.ts';
import type { AttemptEnded } from '../../protocol/jobs.ts';
import { Bell } from '../bell.ts';
import type { Claim, JobStore } from '../store.ts';
import { begin, type Effect, type Input, step } from './attempt-machine.ts';
import type { Attempts } from './ports.ts';
import type { Run } from './run.ts';

export interface RunsOptions {
  readonly types: readonly JobTypePlan[];
  readonly clock: Clock;
  readonly attempts: Attempts;
  began(run: Run): void;
  /** Its process is gone; `settled` is awaited. Never rejects. */
  ended(run: Run): void;
  /** A claim that cannot be begun here goes back. */
  refuse(claim: Claim, store: JobStore): void;
  /** The number of live attempts has changed. */
  changed(): void;
}

export class Runs {
  readonly #options: RunsOptions;
  readonly #types: ReadonlyMap<string, JobTypePlan>;
  /** By the token of the claim: an attempt that was released may come again under its old name. */
  readonly #all = new Map<string, Run>();
  /** Those with a process, by the name PID 1 knows. */
  readonly #live = new Map<string, Run>();
  readonly #bell: Bell;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#bell = new Bell(options.clock);
    this.#types = new Map(options.types.map((type) => [type.name, type]));
  }

  /** Not settled yet, ended ones included. */
  get all(): readonly Run[] {
    return [...this.#all.values()];
  }

  get live(): readonly Run[] {
    return [...this.#live.values()];
  }

  /** Live attempts by type. */
  get active(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { type } of this.#live.values()) counts.set(type.name, (counts.get(type.name) ?? 0) + 1);
    return counts;
  }

  /** The live attempt of a job. */
  of(jobId: string): Run | undefined {
    return this.live.find(({ claim }) => claim.id === jobId);
  }

  /** The tokens of all that was claimed from this store and is not settled. */
  tokensOf(store: JobStore): string[] {
    return this.all.filter((run) => run.store === store).map(({ claim }) => claim.token);
  }

  /**
   * Whether it has begun.
   * @param leaseFrom Monotonic ms at which the claim was asked for.
   */
  take(claim: Claim, store: JobStore, leaseFrom: number): boolean {
    const type = this.#types.get(claim.type);
    const before = this.of(claim.id);
    // Its lease ran out without our knowing: nothing of the old attempt may live when the next one begins.
    if (before) this.feed(before, 'lost');
    if (!type || before) {
      this.#options.refuse(claim, store);
      return false;
    }
    const { clock, attempts } = this.#options;
    const run: Run = {
      name: `${claim.id}/${claim.attempt}`,
      type,
      store,
      startedAt: clock.mono(),
      claim,
      state: begin(),
      leaseFrom,
      progress: undefined,
      progressIsNew: false,
      result: undefined,
      refused: undefined,
      end: undefined,
      settling: false,
      disarm: () => undefined,
    };
    this.#all.set(claim.token, run);
    this.#live.set(run.name, run);
    if (type.timeout !== undefined) run.disarm = clock.after(type.timeout, () => this.feed(run, 'timeout'));
    attempts.start(run.name, claim.type, claim.attempt, claim.data);
    this.#options.began(run);
    if (claim.cancelRequested) this.feed(run, 'cancel');
    this.#options.changed();
    return true;
  }

  feed(run: Run, input: Input): void {
    const { state, effects } = step(run.state, input);
    run.state = state;
    for (const effect of effects) this.#carryOut(run, effect);
  }

  ended(end: AttemptEnded): void {
    const run = this.#live.get(end.attempt);
    if (!run) return;
    run.end = end;
    this.feed(run, 'ended');
  }

  named(attempt: string): Run | undefined {
    return this.#live.get(attempt);
  }

  /** Resolves when none of those is left, `all` or `live`, or after `ms`. */
  async none(which: 'all' | 'live', ms: number): Promise<void> {
    const { clock } = this.#options;
    const end = clock.mono() + ms;
    while (this[which].length > 0 && clock.mono() < end) await this.#bell.next(end - clock.mono());
  }

  #carryOut(run: Run, effect: Effect): void {
    const { attempts, ended, changed } = this.#options;
    switch (effect) {
      case 'stop':
        attempts.stop(run.name, false);
        break;
      case 'kill':
        attempts.stop(run.name, true);
        break;
      case 'settle':
        run.disarm();
        this.#live.delete(run.name);
        ended(run);
        changed();
        this.#bell.ring();
        break;
      case 'forget':
        this.#all.delete(run.claim.token);
        changed();
        this.#bell.ring();
    }
  }
}
