/** Tells the store how an attempt ended, until the store has heard it. */
import type { Clock } from '../../base/clock.ts';
import type { Fallback } from '../fallback.ts';
import { type Claim, type JobStore, StoreRefusal } from '../store.ts';
import type { Outcome } from './outcome.ts';

const AGAIN_MS = 1000;

export class Settler {
  readonly #fallback: Fallback;
  readonly #clock: Clock;
  #givenUp = false;

  constructor(fallback: Fallback, clock: Clock) {
    this.#fallback = fallback;
    this.#clock = clock;
  }

  /**
   * Resolves to false where somebody else has the job by now, or the worker gave up: its lease then runs out. While the
   * store is away this waits: whoever finished its work meanwhile has, if nobody else was given the job.
   */
  async settle(store: JobStore, claim: Claim, outcome: Outcome): Promise<boolean> {
    if (outcome.kind === 'lost') return false;
    while (!this.#givenUp) {
      try {
        return await this.#fallback.ask(store, (asked) => tell(asked, claim, outcome));
      } catch (error) {
        if (error instanceof StoreRefusal) return false;
        await new Promise<void>((resolve) => void this.#clock.after(AGAIN_MS, resolve));
      }
    }
    return false;
  }

  giveUp(): void {
    this.#givenUp = true;
  }
}

function tell(store: JobStore, claim: Claim, outcome: Exclude<Outcome, { kind: 'lost' }>): Promise<boolean> {
  switch (outcome.kind) {
    case 'completed':
      return store.complete(claim, outcome.result);
    case 'failed':
      return store.fail(
        claim,
        outcome.failure,
        outcome.retryAt === undefined ? undefined : new Date(outcome.retryAt),
      );
    case 'released':
      return store.release(claim);
    case 'cancelled':
      return store.cancelled(claim);
  }
}
