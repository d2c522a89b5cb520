/**
 * All attempts that live, for the one worker that lives. The worker decides about jobs; here only three things are held:
 * of one attempt there is never a second tree, every start is answered by exactly one end, and what one worker has
 * started is gone before the next one begins, for that one claims the same jobs again.
 */
import type { StopLadder } from '../../config/plan-runs.ts';
import type { AttemptEnded } from '../../protocol/jobs.ts';
import { Attempt } from './attempt.ts';
import type { AttemptPorts, AttemptStart } from './ports.ts';

export class Attempts {
  readonly #ports: AttemptPorts;
  readonly #live = new Map<string, Attempt>();
  #waiters: (() => void)[] = [];
  #hasWorker = false;
  #isHeld = false;

  constructor(ports: AttemptPorts) {
    this.#ports = ports;
  }

  /** How many trees live. */
  get size(): number {
    return this.#live.size;
  }

  /** A worker lives. Nothing of the one before it does. */
  begin(): void {
    this.#hasWorker = true;
    this.#isHeld = false;
  }

  start(ask: AttemptStart): void {
    const { attempt, job } = ask;
    if (!this.#hasWorker) return;
    if (this.#live.has(attempt)) {
      this.#ports.say('error', `internal error: the worker started ${attempt} twice`);
      return;
    }
    const ladder = this.#ports.ladderOf(job);
    const refusal = this.#refusalOf(job, ladder);
    if (ladder === undefined || refusal !== undefined) {
      this.#ports.tell({ type: 'attempt-ended', attempt, code: null, signal: null, ...refusal });
      return;
    }
    const started = new Attempt(ask, ladder, this.#ports, (ended) => this.#over(ended));
    this.#live.set(attempt, started);
    started.launch();
    if (this.#isHeld) started.hold(true);
  }

  /** One that is over already is fine. */
  stop(attempt: string, now: boolean): void {
    this.#live.get(attempt)?.stop(now);
  }

  /** The worker is gone: so is everything of it, soon. */
  end(): void {
    if (!this.#hasWorker) return;
    this.#hasWorker = false;
    for (const attempt of this.#live.values()) attempt.endSoon();
  }

  /** Returns how many live processes that reached. */
  kill(): number {
    return [...this.#live.values()].reduce((reached, attempt) => reached + attempt.kill(), 0);
  }

  /** Nobody is heard until they are let go: the worker cannot keep up. */
  hold(held: boolean): void {
    if (this.#isHeld === held) return;
    this.#isHeld = held;
    for (const attempt of this.#live.values()) attempt.hold(held);
  }

  /** Calls at once where nothing lives. */
  whenEmpty(call: () => void): void {
    if (this.#live.size === 0) call();
    else this.#waiters.push(call);
  }

  #refusalOf(
    job: string,
    ladder: StopLadder | undefined,
  ): Pick<AttemptEnded, 'startError' | 'tooEarly'> | undefined {
    if (ladder === undefined) return { startError: `the plan has no job called ${job}` };
    if (this.#live.size >= this.#ports.most()) {
      return { startError: `${this.#live.size} attempts live already, more than the plan allows` };
    }
    const notYet = this.#ports.notYet(job);
    return notYet === undefined ? undefined : { startError: notYet, tooEarly: true };
  }

  #over(ended: AttemptEnded): void {
    this.#live.delete(ended.attempt);
    if (this.#hasWorker) this.#ports.tell(ended);
    if (this.#live.size > 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const call of waiters) call();
  }
}
