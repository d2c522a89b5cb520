/**
 * Adds jobs, to the one store that serves. What was sent to the durable store and not answered may be there: such a job
 * is never put into memory as well, or it would run twice.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../base/clock.ts';
import { suggestWord } from '../../base/suggest.ts';
import type { JobsPlan, JobTypePlan } from '../../config/plan-jobs.ts';
import type { Durability, JobAdded, JobsRefusal } from '../../protocol/jobs.ts';
import type { Fallback } from '../fallback.ts';
import { type JobStore, type NewJob, StoreRefusal } from '../store.ts';
import { type AddRequest, checkAdd, isRefusal } from './check-add.ts';
import { refusalOf, refuse } from './refuse.ts';

export interface Added extends JobAdded {
  readonly durability: Durability;
}

export interface AdderOptions {
  readonly plan: JobsPlan;
  readonly fallback: Fallback;
  readonly clock: Clock;
  /** There is something to claim. */
  added(): void;
}

/** PID 1 waits for 10 s. */
const ADD_MS = 8000;
const MOST_REMEMBERED = 10_000;

export class Adder {
  readonly #options: AdderOptions;
  readonly #types: ReadonlyMap<string, JobTypePlan>;
  /** Ids that are, or may be, in the durable store while that is away: only those that can be asked for again. */
  readonly #elsewhere = new Set<string>();

  constructor(options: AdderOptions) {
    this.#options = options;
    this.#types = new Map(options.plan.types.map((type) => [type.name, type]));
  }

  /** @param scope The request's idempotency key counts within it alone. */
  async add(request: AddRequest, scope?: string): Promise<Added | JobsRefusal> {
    const { clock } = this.#options;
    const type = this.#types.get(request.type);
    if (!type) return this.#unknownType(request.type);
    const job = checkAdd(request, type, clock.now(), scope);
    if (isRefusal(job)) return job;
    const end = clock.mono() + ADD_MS;
    for (;;) {
      const result = await this.#try(job, type, Math.max(1, end - clock.mono()));
      if (result !== 'again') return isRefusal(result) ? result : refuseOther(request, job, result);
      if (clock.mono() >= end) return refusalOf(new Error('it is looked for again'));
    }
  }

  /** Jobs that are, or may be, in the durable store from now on. */
  areElsewhere(ids: readonly string[]): void {
    for (const id of ids) this.#remember(id);
  }

  async #try(job: NewJob, type: JobTypePlan, ms: number): Promise<Added | JobsRefusal | 'again'> {
    const { fallback, added } = this.#options;
    let store: JobStore | undefined;
    try {
      store = await fallback.usable(ms);
      const refusal = this.#refuseHere(store, job, type);
      if (refusal) return refusal;
      const answer = await fallback.ask(store, (asked) => asked.add(job), { limit: Math.min(ms, 5000) });
      if (store === fallback.durable) this.#remember(job.id);
      if (!answer.duplicate) added();
      return { ...answer, durability: store.durability };
    } catch (error) {
      if (error instanceof StoreRefusal || store === undefined) return refusalOf(error);
      if (store !== fallback.durable) return refusalOf(error);
      this.#remember(job.id);
      return 'again';
    }
  }

  /** What the memory must not take while it stands in. */
  #refuseHere(store: JobStore, job: NewJob, type: JobTypePlan): Added | JobsRefusal | undefined {
    const { plan, fallback } = this.#options;
    if (plan.requireDurable && store.durability !== 'durable') {
      return refuse(
        'not-durable',
        'jobs are only taken where they outlive everything, and that store is away',
        {
          remedy: 'ask again later, or allow the memory: queue.require_durable: false',
          retryAfter: 30,
        },
      );
    }
    if (!fallback.isAway) return undefined;
    if (type.requires.includes('database')) {
      return refuse('not-durable', `a ${type.name} needs the database, which is away`, { retryAfter: 30 });
    }
    if (!this.#elsewhere.has(job.id)) return undefined;
    return refuse('not-durable', `job ${job.id} is, or may be, in the store that is away`, {
      jobId: job.id,
      retryAfter: 30,
    });
  }

  #remember(id: string): void {
    this.#elsewhere.delete(id);
    this.#elsewhere.add(id);
    if (this.#elsewhere.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#elsewhere;
    if (oldest !== undefined) this.#elsewhere.delete(oldest);
  }

  #unknownType(name: string): JobsRefusal {
    const meant = suggestWord(name, this.#types.keys());
    const names = `the plan has ${[...this.#types.keys()].join(', ')}`;
    return refuse('unknown-type', `there is no job type ${JSON.stringify(name)}`, {
      remedy: meant === undefined ? names : `did you mean ${JSON.stringify(meant)}? ${names}`,
    });
  }
}

/**
 * A key names one request: the same again with other contents is a mistake of who asks, and must not look as if it had
 * been done ("The Idempotency-Key HTTP Header Field", section 2.7). A time to begin is not compared, since people say
 * it from now on; nor is what they leave to the plan, which may have changed.
 */
function refuseOther(
  { priority, singletonKey }: AddRequest,
  asked: NewJob,
  added: Added,
): Added | JobsRefusal {
  const { job, duplicate } = added;
  if (!duplicate) return added;
  const other = [
    ...(isDeepStrictEqual(job.data, asJson(asked.data)) ? [] : ['data']),
    ...(priority === undefined || priority === job.priority ? [] : ['priority']),
    ...(singletonKey === undefined || asked.singletonKey === job.singletonKey ? [] : ['singletonKey']),
  ];
  if (other.length === 0) return added;
  return refuse(
    'key-reused',
    `this idempotency key was used for another ${job.type}: job ${job.id} has other ${other.join(' and ')}`,
    { jobId: job.id, remedy: 'take a new key for a new job; the same key again needs the same request' },
  );
}

/** As a store gives it back. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}
