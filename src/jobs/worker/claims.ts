/** Takes from the queue what there is room for: when told, and each second where the store cannot tell. */
import type { Clock } from '../../base/clock.ts';
import type { JobsPlan } from '../../config/plan-jobs.ts';
import type { Fallback } from '../fallback.ts';
import { type Repeat, repeat } from '../repeat.ts';
import type { Claim, JobStore } from '../store.ts';
import type { Runs } from './runs.ts';
import { roomFor } from './wishes.ts';

export interface ClaimsOptions {
  readonly plan: Pick<JobsPlan, 'types' | 'concurrency'>;
  readonly workerId: string;
  readonly fallback: Fallback;
  readonly runs: Runs;
  readonly clock: Clock;
  refuse(claim: Claim, store: JobStore): void;
}

/** Of a store that tells nothing by itself. */
const POLL_MS = 1000;
/** Of one that does: whatever that missed waits no longer. */
const BACKSTOP_MS = 10_000;
const HOLD_MS = 3000;
/** A claim that failed may still be carried out for so long; every store gives up by then. */
const UNSURE_MS = 12_000;

export class Claims {
  readonly #options: ClaimsOptions;
  readonly #repeat: Repeat;
  /** Types nobody claims before that time, monotonic ms. */
  readonly #held = new Map<string, number>();
  /** Stores that may have given us what we never heard of, until when; monotonic ms. */
  readonly #unsure = new Map<JobStore, number>();
  #stopped = false;

  constructor(options: ClaimsOptions) {
    this.#options = options;
    this.#repeat = repeat(options.clock, 0, () => this.#claim());
  }

  /** There may be something to claim, or room for it. */
  poke(): void {
    if (!this.#stopped) this.#repeat.poke();
  }

  /** Something that was claimed is back, and may be claimed again in a moment. */
  soon(): void {
    this.#repeat.hasten(POLL_MS);
  }

  /** PID 1 cannot run this type yet: what it needs is not there. */
  hold(type: string): void {
    this.#held.set(type, this.#options.clock.mono() + HOLD_MS);
  }

  /** No claim is made from now on; what a claim under way brings is put back. Resolves when none is under way. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#repeat.stop();
  }

  async #claim(): Promise<number> {
    const { plan, workerId, fallback, runs, clock, refuse } = this.#options;
    const store = fallback.current;
    const now = clock.mono();
    const types = plan.types.filter(({ name }) => (this.#held.get(name) ?? 0) <= now);
    const room = roomFor(types, plan.concurrency, runs.active);
    if (this.#stopped || !store || room.most === 0) return POLL_MS;
    const refuseAll = (claims: readonly Claim[]): void => {
      for (const claim of claims) refuse(claim, store);
    };
    try {
      await this.#disown(store);
      const askedAt = clock.mono();
      const claims = await fallback.ask(
        store,
        (asked) => asked.claim(room.wishes, workerId, room.most),
        // What was claimed after we had given up waits for nobody.
        { late: refuseAll },
      );
      if (this.#stopped) {
        refuseAll(claims);
        return POLL_MS;
      }
      const begun = claims.filter((claim) => runs.take(claim, store, askedAt));
      // What was refused, because its old attempt still dies, is there again at once.
      if (begun.length > 0) return 0;
      return claims.length > 0 ? POLL_MS : await this.#untilNext(store);
    } catch {
      // Counted by the fallback, which says so when it is enough.
      this.#unsure.set(store, clock.mono() + UNSURE_MS);
      return POLL_MS;
    }
  }

  /** Nothing may run now: until the store rings, or a delay is over. */
  async #untilNext(store: JobStore): Promise<number> {
    const { plan, fallback, clock } = this.#options;
    const { herald } = store;
    if (!herald?.isHeard || this.#unsure.has(store)) return POLL_MS;
    const types = plan.types.map(({ name }) => name);
    const due = await fallback.ask(store, () => herald.untilDue(types)).catch(() => POLL_MS);
    const now = clock.mono();
    const held = [...this.#held.values()].map((until) => until - now).filter((ms) => ms > 0);
    return Math.min(BACKSTOP_MS, Math.max(0, Math.ceil(due ?? BACKSTOP_MS)), ...held);
  }

  /** Of a claim whose answer was lost nothing was begun: it is put back before its lease would charge it. */
  async #disown(store: JobStore): Promise<void> {
    const { workerId, fallback, runs, clock } = this.#options;
    const until = this.#unsure.get(store);
    if (until === undefined) return;
    const isLast = clock.mono() >= until;
    await fallback.ask(store, (asked) => asked.disown(workerId, runs.tokensOf(store)));
    if (isLast) this.#unsure.delete(store);
  }
}
