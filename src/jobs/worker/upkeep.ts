/** What the worker does beside its work: tells that it lives, tidies the store, and keeps PID 1 informed. */
import type { Clock } from '../../base/clock.ts';
import { Failure, messageOf } from '../../base/errors.ts';
import type { JobsSummary } from '../../protocol/jobs.ts';
import { type Repeat, repeat } from '../repeat.ts';
import type { JobStore } from '../store.ts';
import { within } from '../within.ts';
import { type DescribeOptions, summarizeQueue } from './describe.ts';
import type { Say } from './ports.ts';
import { nameOf } from './run.ts';

export interface UpkeepOptions {
  readonly describe: DescribeOptions;
  readonly workerId: string;
  readonly host: string;
  readonly clock: Clock;
  readonly say: Say;
  summary(summary: JobsSummary): void;
  failed(error: Error): void;
  /** There are jobs again whose leases had run out. */
  expired(): void;
}

const TIDY_MS = 10_000;
/** What is finished for long need not go at once. */
const RETENTION_MS = 60_000;
/** How late people may see what happened. */
const NEWS_MS = 1000;
/** Where nothing has happened that we know of; other workers of the store change things as well. */
const QUIET_MS = 5000;
/** Where nothing waits or runs, and whatever is added is heard. */
const IDLE_MS = 60_000;
/** A store that answers pings and nothing else does not get better by waiting. */
const WEDGED_MS = 60_000;

export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #tidy: Repeat;
  readonly #tell: Repeat;
  #keptAt = Number.NEGATIVE_INFINITY;
  #failingSince: number | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#tidy = repeat(options.clock, TIDY_MS, () => this.#tidyUp());
    this.#tell = repeat(options.clock, NEWS_MS, () => this.#summarize());
  }

  /** Something happened that people may want to see: told within a second. */
  changed(): void {
    this.#tell.hasten(NEWS_MS);
  }

  /** Another store serves: told at once. */
  moved(): void {
    this.#keptAt = Number.NEGATIVE_INFINITY;
    this.#tell.poke();
    this.#tidy.poke();
  }

  /** Tells the store that this worker is gone; within `ms`, or not at all. */
  async leave(ms: number): Promise<void> {
    void this.#tidy.stop();
    void this.#tell.stop();
    const { describe, workerId, clock } = this.#options;
    const store = describe.fallback.current;
    if (!store) return;
    await within(store.leave(workerId), ms, clock, () => new Error('too late')).catch(() => undefined);
  }

  async #tidyUp(): Promise<number> {
    const { describe, workerId, host } = this.#options;
    const { fallback, runs } = describe;
    const store = fallback.current;
    if (!store) return TIDY_MS / 10;
    try {
      await fallback.ask(store, (asked) => asked.beat({ id: workerId, host, active: runs.live.length }));
      // Attempts that ended while the store was away speak first: nobody else need run their jobs again.
      if (!runs.all.some((run) => run.settling && run.store === store)) {
        await this.#sweep(store);
      }
      this.#failingSince = undefined;
    } catch (error) {
      this.#noteFailure(store, error);
    }
    return TIDY_MS;
  }

  async #sweep(store: JobStore): Promise<void> {
    const { describe, clock, say, expired: tell } = this.#options;
    const isTime = clock.mono() - this.#keptAt >= RETENTION_MS;
    const { expired, removed } = await describe.fallback.ask(
      store,
      (asked) => asked.sweep(undefined, isTime),
      { limit: TIDY_MS },
    );
    if (isTime) this.#keptAt = clock.mono();
    for (const job of expired) say(`${nameOf(job)}: its lease ran out, now ${job.state}`);
    if (expired.length > 0) tell();
    if (removed > 0) this.changed();
  }

  #noteFailure(store: JobStore, error: unknown): void {
    const { describe, clock, failed } = this.#options;
    // While it is away the fallback serves, and says so.
    if (describe.fallback.isAway && store === describe.fallback.durable) {
      this.#failingSince = undefined;
      return;
    }
    this.#failingSince ??= clock.mono();
    if (clock.mono() - this.#failingSince < WEDGED_MS) return;
    failed(
      new Failure(
        `cannot work with the store of jobs (${store.kind}), though it answers: ${messageOf(error)}`,
        {
          remedy: 'the worker starts anew, and makes what is missing there',
        },
      ),
    );
  }

  async #summarize(): Promise<number> {
    const { describe, summary } = this.#options;
    const store = describe.fallback.current;
    if (!store) return NEWS_MS;
    try {
      const told = await summarizeQueue(store, describe);
      summary(told);
      const { created, retry, active } = told.counts;
      return created + retry + active === 0 && store.herald?.isHeard === true ? IDLE_MS : QUIET_MS;
    } catch {
      return NEWS_MS;
    }
  }
}
