/** All PID 1s of a test together: what runs, and whether ever too much of it did. */
import type { JobsPlan } from '../../src/config/plan-jobs.ts';
import type { AttemptEnded } from '../../src/protocol/jobs.ts';
import type { ManualClock } from '../support/clock.ts';

export interface LiveAttempt {
  readonly name: string;
  readonly jobId: string;
  readonly type: string;
  readonly number: number;
  readonly data: unknown;
  readonly worker: string;
  /** It ends when it is asked to; else after the grace of its plan. */
  obeys: boolean;
  stopping: boolean;
}

type Ends = (attempt: LiveAttempt, end: Partial<Omit<AttemptEnded, 'type' | 'attempt'>>) => void;

const GRACE_MS = 10_000;
/** Until the last process of a killed tree is reaped. */
const KILL_MS = 300;

export class Processes {
  readonly #live = new Map<string, LiveAttempt>();
  /** What must never happen, and did. */
  readonly broken: string[] = [];
  /** Names, in order. */
  readonly starts: string[] = [];
  /** How often a job's attempt ended with 0. */
  readonly finished = new Map<string, number>();
  readonly #plan: JobsPlan;
  readonly #clock: ManualClock;
  readonly #ends: Ends;

  constructor(plan: JobsPlan, clock: ManualClock, ends: Ends) {
    this.#plan = plan;
    this.#clock = clock;
    this.#ends = ends;
  }

  get live(): LiveAttempt[] {
    return [...this.#live.values()];
  }

  /** The only one there is. */
  get only(): LiveAttempt {
    const [attempt, ...others] = this.live;
    if (!attempt || others.length > 0) throw new Error(`${this.live.length} attempts live`);
    return attempt;
  }

  start(worker: string, name: string, type: string, number: number, data: unknown): void {
    const jobId = name.split('/')[0] ?? '';
    for (const other of this.live) {
      if (other.jobId === jobId) this.broken.push(`${name} starts on ${worker} while ${other.name} lives`);
    }
    this.starts.push(name);
    this.#live.set(`${worker}:${name}`, {
      name,
      jobId,
      type,
      number,
      data,
      worker,
      obeys: true,
      stopping: false,
    });
    const own = this.live.filter((each) => each.worker === worker);
    const most = this.#plan.types.find((each) => each.name === type)?.concurrency ?? 0;
    if (own.filter((each) => each.type === type).length > most) this.broken.push(`too many ${type}`);
    if (own.length > this.#plan.concurrency) this.broken.push('too many attempts');
  }

  stop(worker: string, name: string, now: boolean): void {
    const attempt = this.#live.get(`${worker}:${name}`);
    if (!attempt) return;
    attempt.stopping = true;
    const kill = (): void => this.#ends(attempt, { signal: 'SIGKILL' });
    if (now) this.#clock.after(KILL_MS, kill);
    else if (attempt.obeys) this.#clock.after(50, () => this.#ends(attempt, { code: 143 }));
    else this.#clock.after(GRACE_MS + KILL_MS, kill);
  }

  /** Its tree is gone. False: it was so before. */
  take(attempt: LiveAttempt, finished: boolean): boolean {
    const key = `${attempt.worker}:${attempt.name}`;
    if (this.#live.get(key) !== attempt) return false;
    this.#live.delete(key);
    if (finished) this.finished.set(attempt.jobId, (this.finished.get(attempt.jobId) ?? 0) + 1);
    return true;
  }

  /** All that a worker ran is dead. */
  forget(worker: string): void {
    for (const [key, attempt] of this.#live) if (attempt.worker === worker) this.#live.delete(key);
  }
}
