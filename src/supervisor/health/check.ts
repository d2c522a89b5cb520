import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import type { CheckPlan } from '../../config/plan-runs.ts';
import type { CheckStatus } from '../../protocol/status.ts';
import type { Busy } from './ports.ts';

/**
 * The first wait, in ms; each next one is twice as long, up to the start interval. So a service that is ready in 80 ms
 * need not wait to be asked. A probe that starts a process takes time from what it asks about.
 */
const FIRST_WAIT = { exec: 200, other: 25 };
/** An answer older than so many intervals says nothing any more (the machine slept, PID 1 was stopped). */
const STALE_INTERVALS = 3;

export interface CheckOutcomes {
  passed(ms: number): void;
  failed(error: string, wentDown: boolean): void;
  busy(what: string): void;
}

/**
 * One check of one generation: asks, waits, counts.
 *
 * Until the first success it asks often but counts slowly: failures within the start period do not count at all, and
 * after it one per interval does. So being asked every 250 ms makes a service ready early, and never down early.
 */
export class Check {
  private readonly plan: CheckPlan;
  private readonly clock: Clock;
  private readonly ask: (signal: AbortSignal) => Promise<string | Busy | undefined>;
  private readonly outcomes: CheckOutcomes;
  private readonly spread: () => number;
  private readonly stopping = new AbortController();
  private disarm: (() => void) | undefined;
  private asking = false;
  private asked = 0;
  private succeeded = false;
  private failures = 0;
  private up: boolean | undefined;
  private isBusy = false;
  private lastError: string | undefined;
  private durationMs: number | undefined;
  /** Monotonic and wall time of the last answer. */
  private answered: { readonly mono: number; readonly wall: number } | undefined;
  /** Monotonic: from when on the next failure before the first success counts. */
  private countsFrom: number;

  /** `spread` gives numbers from 0 to 1: checks with one interval should not all ask at once. */
  constructor(
    plan: CheckPlan,
    clock: Clock,
    ask: (signal: AbortSignal) => Promise<string | Busy | undefined>,
    outcomes: CheckOutcomes,
    spread: () => number,
  ) {
    this.plan = plan;
    this.clock = clock;
    this.ask = ask;
    this.outcomes = outcomes;
    this.spread = spread;
    this.countsFrom = clock.mono() + plan.startPeriod + plan.interval;
    // Not at once: whoever starts a check must be able to finish its own sentence.
    this.disarm = clock.after(0, () => this.turn());
  }

  /** Ends it: no callback comes any more, and a probe under way is called off. */
  stop(): void {
    this.disarm?.();
    this.disarm = undefined;
    this.stopping.abort();
  }

  status(): CheckStatus {
    const { answered, up, failures, lastError, durationMs } = this;
    const age = answered === undefined ? 0 : this.clock.mono() - answered.mono;
    const stale = age > STALE_INTERVALS * this.plan.interval + this.plan.timeout;
    return {
      up: stale ? undefined : up,
      failures,
      threshold: this.plan.retries,
      lastError: stale ? `stale: last answer ${formatDuration(age)} ago` : lastError,
      durationMs,
      at: answered && new Date(answered.wall).toISOString(),
    };
  }

  private turn(): void {
    if (this.asking) {
      this.fail(`the last probe has not ended yet, long after ${formatDuration(this.plan.timeout)}`);
      this.wait();
      return;
    }
    void this.probe();
  }

  private async probe(): Promise<void> {
    const { clock, plan } = this;
    const start = clock.mono();
    const call = new AbortController();
    const callOff = (): void => call.abort();
    this.stopping.signal.addEventListener('abort', callOff, { once: true });
    this.asking = true;
    this.asked += 1;
    let timedOut = false;
    this.disarm = clock.after(plan.timeout, () => {
      timedOut = true;
      call.abort();
      this.fail(`no answer within ${formatDuration(plan.timeout)}`);
      this.wait();
    });
    const error = await this.ask(call.signal);
    this.asking = false;
    this.stopping.signal.removeEventListener('abort', callOff);
    if (timedOut || this.stopping.signal.aborted) return;
    this.disarm();
    if (error === undefined) this.pass(clock.mono() - start);
    else if (typeof error === 'object') this.work(error.busy, clock.mono() - start);
    else this.fail(error, clock.mono() - start);
    this.wait();
  }

  private wait(): void {
    if (this.stopping.signal.aborted) return;
    const { interval, startInterval } = this.plan;
    const first = this.plan.probe.kind === 'exec' ? FIRST_WAIT.exec : FIRST_WAIT.other;
    const soon = Math.min(startInterval, first * 2 ** Math.min(this.asked - 1, 20));
    // A tenth of spread, and never longer than asked for.
    const ms = this.succeeded && !this.isBusy ? interval * (1 - 0.1 * this.spread()) : soon;
    this.disarm = this.clock.after(ms, () => this.turn());
  }

  private pass(ms: number): void {
    this.answer(ms);
    this.succeeded = true;
    this.failures = 0;
    this.up = true;
    this.isBusy = false;
    this.lastError = undefined;
    this.outcomes.passed(ms);
  }

  private fail(error: string, ms?: number): void {
    this.answer(ms);
    this.lastError = error;
    if (!this.counts()) {
      this.outcomes.failed(error, false);
      return;
    }
    this.failures += 1;
    const wentDown = (this.up !== false || this.isBusy) && this.failures >= this.plan.retries;
    if (wentDown) {
      this.up = false;
      this.isBusy = false;
    }
    this.outcomes.failed(error, wentDown);
  }

  /** However long it takes: whoever restarts it makes it begin anew. */
  private work(what: string, ms: number): void {
    this.answer(ms);
    this.lastError = what;
    if (!this.succeeded) {
      this.outcomes.failed(what, false);
      return;
    }
    this.failures = 0;
    this.up = false;
    if (this.isBusy) return;
    this.isBusy = true;
    this.outcomes.busy(what);
  }

  private counts(): boolean {
    if (this.succeeded) return true;
    const now = this.clock.mono();
    if (now < this.countsFrom) return false;
    this.countsFrom = now + this.plan.interval;
    return true;
  }

  private answer(ms: number | undefined): void {
    this.durationMs = ms;
    this.answered = { mono: this.clock.mono(), wall: this.clock.now() };
  }
}
