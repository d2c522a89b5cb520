/** Answers what people ask of the queue, wherever a job lives just now. Never rejects. */
import type { Clock } from '../../base/clock.ts';
import type { JobsAnswer, JobsRefusal, JobsRequest, JobsValue, JobView } from '../../protocol/jobs.ts';
import type { Fallback } from '../fallback.ts';
import { type JobStore, StoreAway } from '../store.ts';
import { within } from '../within.ts';
import type { Adder } from './adder.ts';
import { type AddRequest, isRefusal } from './check-add.ts';
import { checkRequest } from './check-request.ts';
import { type DescribeOptions, describeQueue } from './describe.ts';
import { listJobs } from './list-jobs.ts';
import { refusalOf, refuse, unknownJob } from './refuse.ts';
import type { Runs } from './runs.ts';

export interface RelayOptions extends DescribeOptions {
  readonly fallback: Fallback;
  readonly runs: Runs;
  readonly adder: Adder;
  readonly clock: Clock;
  /** There may be something to claim. */
  poke(): void;
}

type ById = Extract<JobsRequest, { readonly id: string }>;

interface Found {
  readonly store: JobStore;
  readonly job: JobView;
}

/** PID 1 waits for 10 s. */
const ANSWER_MS = 9000;
/** Until it is settled which store serves. */
const WAIT_MS = 7000;

export class Relay {
  readonly #options: RelayOptions;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  async answer(asked: unknown): Promise<JobsAnswer> {
    const request = checkRequest(asked);
    if (isRefusal(request)) return request;
    try {
      const tooLate = (): Error => new StoreAway('it takes too long');
      return await within(this.#answer(request), ANSWER_MS, this.#options.clock, tooLate);
    } catch (error) {
      return refusalOf(error);
    }
  }

  async #answer(request: JobsRequest): Promise<JobsAnswer> {
    switch (request.op) {
      case 'add':
        return this.#add(request);
      case 'list': {
        const store = await this.#store();
        return good(store, await listJobs(request, store, this.#options.fallback));
      }
      case 'redrive': {
        const store = await this.#store();
        const count = await this.#ask(store, (each) => each.redrive(request.type));
        this.#options.poke();
        return good(store, { count });
      }
      case 'pause':
      case 'resume':
        return this.#pause(request);
      case 'status': {
        const store = await this.#store();
        return good(store, await describeQueue(store, this.#options));
      }
      default: {
        const found = await this.#find(request.id);
        return isRefusal(found) ? found : this.#one(request, found);
      }
    }
  }

  async #add(request: AddRequest): Promise<JobsAnswer> {
    const added = await this.#options.adder.add(request);
    if (isRefusal(added)) return added;
    const { durability, job, duplicate } = added;
    return { ok: true, durability, value: { job, duplicate } };
  }

  async #one({ op, id }: ById, { store, job }: Found): Promise<JobsAnswer> {
    switch (op) {
      case 'get':
        return good(store, job);
      case 'cancel':
        return this.#cancel(store, id);
      case 'retry': {
        const answer = await this.#ask(store, (each) => each.retry(id));
        if (answer === 'unknown') return unknownJob(id);
        if (answer === 'not-finished') return refuse('not-finished', `job ${id} has not finished`);
        this.#options.poke();
        return this.#view(store, id);
      }
      case 'remove': {
        const answer = await this.#ask(store, (each) => each.remove(id));
        if (answer === 'unknown') return unknownJob(id);
        return answer === 'removed'
          ? good(store, job)
          : refuse('active', `job ${id} is active`, CANCEL_FIRST);
      }
    }
  }

  async #cancel(store: JobStore, id: string): Promise<JobsAnswer> {
    const answer = await this.#ask(store, (each) => each.cancel(id));
    if (answer === 'unknown') return unknownJob(id);
    if (answer === 'finished') return refuse('finished', `job ${id} has finished`);
    const run = answer === 'asked' ? this.#options.runs.of(id) : undefined;
    // Another worker's: that one hears of it within a second or so.
    if (run?.store === store) this.#options.runs.feed(run, 'cancel');
    const view = await this.#view(store, id);
    if (!view.ok) return view;
    const job = view.value as JobView;
    return good(store, { job, accepted: answer === 'cancelled' ? 'now' : 'later' });
  }

  async #pause({ op, type }: { readonly op: string; readonly type?: string }): Promise<JobsAnswer> {
    const { fallback, plan, poke } = this.#options;
    if (type !== undefined && !plan.types.some(({ name }) => name === type)) {
      return refuse('unknown-type', `there is no job type ${JSON.stringify(type)}`);
    }
    const store = await this.#store();
    await this.#ask(store, (each) => (op === 'pause' ? each.pause(type) : each.resume(type)));
    fallback.sawPaused(await this.#ask(store, (each) => each.paused()));
    poke();
    return good(store, await describeQueue(store, this.#options));
  }

  async #find(id: string): Promise<Found | JobsRefusal> {
    const { fallback } = this.#options;
    const { memory, durable } = fallback;
    // What is still active there after the return, too.
    const here = await this.#ask(memory, (each) => each.get(id));
    if (here) return { store: memory, job: this.#withProgress(here) };
    if (!durable) return unknownJob(id);
    const store = await this.#store();
    if (store === memory) {
      return refuse('not-durable', `job ${id} is not in memory, and the store of earlier jobs is away`, {
        retryAfter: 30,
      });
    }
    const job = await this.#ask(store, (each) => each.get(id));
    return job ? { store, job: this.#withProgress(job) } : unknownJob(id);
  }

  async #view(store: JobStore, id: string): Promise<Extract<JobsAnswer, { ok: true }> | JobsRefusal> {
    const job = await this.#ask(store, (each) => each.get(id));
    return job ? good(store, this.#withProgress(job)) : unknownJob(id);
  }

  /** Ours knows better how far it is than the store, which hears of it now and then. */
  #withProgress(job: JobView): JobView {
    const progress = this.#options.runs.of(job.id)?.progress;
    return progress === undefined ? job : { ...job, progress };
  }

  #store(): Promise<JobStore> {
    return this.#options.fallback.usable(WAIT_MS);
  }

  #ask<S extends JobStore, T>(store: S, call: (store: S) => Promise<T>): Promise<T> {
    return this.#options.fallback.ask(store, call, { limit: 3000 });
  }
}

const CANCEL_FIRST = { remedy: 'cancel it first' };

function good(store: JobStore, value: JobsValue): Extract<JobsAnswer, { ok: true }> {
  return { ok: true, durability: store.durability, value };
}
