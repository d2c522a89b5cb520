/**
 * Keeps what is claimed ours: renews in time, ends at once what is no longer ours, and ends what cannot be renewed while
 * it is still nobody else's. Hears at the same time what people want cancelled.
 */
import type { Clock } from '../../base/clock.ts';
import type { Fallback } from '../fallback.ts';
import { type Repeat, repeat } from '../repeat.ts';
import type { JobStore } from '../store.ts';
import { isLive } from './attempt-machine.ts';
import type { Run } from './run.ts';
import type { Runs } from './runs.ts';

/** Of a claim, from the store's clock. */
export const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** What is left of the lease is for killing: SIGKILL to a whole tree takes its time on a busy machine. */
const SILENT_MS = 20_000;
/** How late a cancel from elsewhere, and the progress of an attempt, may be heard. */
const LOOK_MS = 1000;
const PROGRESS_MS = 2000;
/** While nothing is claimed. */
const REST_MS = 60_000;

export class Leases {
  readonly #runs: Runs;
  readonly #fallback: Fallback;
  readonly #clock: Clock;
  readonly #repeats: readonly Repeat[];
  /** Monotonic ms of the last renewal that worked. */
  readonly #renewedAt = new Map<JobStore, number>();

  constructor(runs: Runs, fallback: Fallback, clock: Clock) {
    this.#runs = runs;
    this.#fallback = fallback;
    this.#clock = clock;
    this.#repeats = [
      repeat(clock, LOOK_MS, async () => {
        await Promise.all([...this.#byStore()].map(([store, held]) => this.#look(store, held)));
        return this.#pace;
      }),
      // Beside it: a call of a store that hangs must not keep anybody alive.
      repeat(clock, LOOK_MS, async () => {
        this.#endSilent();
        return this.#pace;
      }),
    ];
  }

  /** There may be something to look after. */
  watch(): void {
    for (const each of this.#repeats) each.hasten(this.#pace);
  }

  stop(): void {
    for (const each of this.#repeats) void each.stop();
  }

  get #pace(): number {
    return this.#runs.all.length > 0 ? LOOK_MS : REST_MS;
  }

  #byStore(): Map<JobStore, Run[]> {
    const stores = new Map<JobStore, Run[]>();
    for (const run of this.#runs.all) {
      // A program that has ended may still wait for the jobs it asked for.
      if (run.settling) continue;
      const held = stores.get(run.store);
      if (held) held.push(run);
      else stores.set(run.store, [run]);
    }
    return stores;
  }

  async #look(store: JobStore, held: readonly Run[]): Promise<void> {
    const now = this.#clock.mono();
    const oldest = Math.min(...held.map(({ leaseFrom }) => leaseFrom));
    const told = held.some(({ progressIsNew }) => progressIsNew);
    const since = now - (this.#renewedAt.get(store) ?? Number.NEGATIVE_INFINITY);
    try {
      if (now - oldest >= RENEW_MS || (told && since >= PROGRESS_MS)) await this.#renew(store, held);
      else await this.#hearCancels(store, held);
    } catch {
      // Counted by the fallback; the next look is in a second.
    }
  }

  async #renew(store: JobStore, held: readonly Run[]): Promise<void> {
    const askedAt = this.#clock.mono();
    const claims = held.map((run) => {
      run.progressIsNew = false;
      return run.progress === undefined ? run.claim : { ...run.claim, progress: run.progress };
    });
    const renewed = await this.#fallback
      .ask(store, (asked) => asked.renew(claims))
      .catch((error: unknown) => {
        for (const run of held) run.progressIsNew ||= run.progress !== undefined;
        throw error;
      });
    this.#renewedAt.set(store, askedAt);
    const ours = new Map(renewed.map((claim) => [claim.token, claim]));
    for (const run of held) {
      const claim = ours.get(run.claim.token);
      if (!claim) {
        this.#runs.feed(run, 'lost');
        continue;
      }
      run.claim = claim;
      run.leaseFrom = askedAt;
      if (claim.cancelRequested) this.#runs.feed(run, 'cancel');
    }
  }

  async #hearCancels(store: JobStore, held: readonly Run[]): Promise<void> {
    const asked = held.filter(({ state }) => state.phase === 'running').map(({ claim }) => claim);
    if (asked.length === 0) return;
    const wanted = new Set(await this.#fallback.ask(store, (each) => each.cancelRequests(asked)));
    for (const run of held) if (wanted.has(run.claim.id)) this.#runs.feed(run, 'cancel');
  }

  #endSilent(): void {
    const now = this.#clock.mono();
    for (const run of this.#runs.live) {
      if (now - run.leaseFrom >= SILENT_MS && isLive(run.state)) this.#runs.feed(run, 'silent');
    }
  }
}
