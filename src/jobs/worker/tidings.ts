/** Tells, as it happens, what happens to the jobs run here: as much of it as anybody can follow. */
import type { Clock } from '../../base/clock.ts';
import type { JobEvent, JobEventSubject } from '../../protocol/jobs.ts';
import type { Outcome } from './outcome.ts';
import type { Run } from './run.ts';

/** In a second. A thousand short jobs a second are nobody's reading, and every line is work for PID 1. */
const MOST = 100;
const SECOND_MS = 1000;

type News = JobEvent extends infer Event
  ? Event extends JobEvent
    ? Omit<Event, 'type' | 'at'>
    : never
  : never;

type Ended = Extract<JobEvent, { readonly what: 'ended' }>;

export class Tidings {
  readonly #clock: Clock;
  readonly #tell: (event: JobEvent) => void;
  #left = MOST;
  #skipped = 0;
  #isCounting = false;
  /** When its progress was told last, monotonic ms. */
  readonly #progressed = new WeakMap<Run, number>();

  constructor(clock: Clock, tell: (event: JobEvent) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  started(run: Run): void {
    this.#say({ what: 'started', job: subjectOf(run) });
  }

  /** Of one job once a second at most. */
  progressed(run: Run): void {
    const last = this.#progressed.get(run) ?? Number.NEGATIVE_INFINITY;
    const now = this.#clock.mono();
    if (run.progress === undefined || now - last < SECOND_MS) return;
    this.#progressed.set(run, now);
    this.#say({ what: 'progressed', job: subjectOf(run), progress: run.progress });
  }

  /** @param told Whether the store took it. */
  ended(run: Run, outcome: Outcome, told: boolean): void {
    const job = subjectOf(run);
    this.#say({ what: 'ended', job, ...endOf(outcome, told) });
  }

  #say(news: News): void {
    this.#count();
    if (this.#left === 0) {
      this.#skipped += 1;
      return;
    }
    this.#left -= 1;
    this.#tell({ type: 'job', at: new Date(this.#clock.now()).toISOString(), ...news });
  }

  #count(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    this.#clock.after(SECOND_MS, () => {
      this.#isCounting = false;
      const count = this.#skipped;
      this.#skipped = 0;
      this.#left = MOST;
      if (count > 0) this.#say({ what: 'skipped', count });
    });
  }
}

function endOf(outcome: Outcome, told: boolean): Pick<Ended, 'end' | 'failure' | 'retryAt'> {
  if (!told || outcome.kind === 'lost') return { end: 'lost' };
  if (outcome.kind !== 'failed') return { end: outcome.kind };
  const { failure, retryAt } = outcome;
  return {
    end: 'failed',
    failure,
    ...(retryAt === undefined ? {} : { retryAt: new Date(retryAt).toISOString() }),
  };
}

function subjectOf({ claim: { id, type, attempt, maxAttempts } }: Run): JobEventSubject {
  return { id, type, attempt, maxAttempts };
}
