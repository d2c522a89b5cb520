/** The store in Redis: BullMQ adds and hands out, one queue per type; the rest is told by scripts on its keys. */
import { Failure } from '../../base/errors.ts';
import type { Durability, JobList, JobState } from '../../protocol/jobs.ts';
import type {
  Claim,
  JobFailure,
  JobRecord,
  JobStore,
  ListFilter,
  NewJob,
  Paused,
  StoreLimits,
  SweepResult,
  TypeCounts,
  Wish,
  WorkerPresence,
} from '../store.ts';
import { StoreAway } from '../store.ts';
import { adoptJobs, countJobs, listJobs, readPaused } from './redis-asks.ts';
import { type Assurance, RedisLink, toldByRedis as told } from './redis-connection.ts';
import { type FlatView, recordOf } from './redis-job.ts';
import { findStranger, type Home, listWorkers, noteWorker } from './redis-presence.ts';
import { RedisQueues } from './redis-queues.ts';
import { WaitingBound } from './waiting-bound.ts';
import { EVERYTHING, LEASE_LOST, singletonTaken } from './words.ts';

export interface RedisOptions {
  /** `redis://` or `rediss://`, with the password in it. */
  readonly url: string;
  /** Of all its keys: letters, digits, `.`, `_` and `-`. Products that share a Redis have different ones. */
  readonly prefix: string;
  /** Undefined: whoever uses this prefix is welcome. */
  readonly home: Home | undefined;
  readonly limits: StoreLimits;
  /** What an operator should know. */
  readonly note: (text: string) => void;
}

const PING_MS = 2000;
/** So often another is faster, or BullMQ hands out nothing because somebody has paused its queue with its own words. */
const MOST_MISSES = 10;
/** Claimed in one breath: what is claimed and not told of must not be many. */
const MOST_AT_ONCE = 50;
/** Finished jobs dropped by one script: nobody else is served meanwhile. */
const BATCH = 1000;

export class RedisStore implements JobStore {
  readonly kind = 'redis';
  readonly #options: RedisOptions;
  readonly #bound: WaitingBound;
  readonly #queues: RedisQueues;
  #link: RedisLink | undefined;
  #assurance: Assurance = { durability: 'volatile', reason: 'it is not open' };

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#queues = new RedisQueues(options.limits.leaseMs);
    this.#bound = new WaitingBound(options.limits.maxWaiting, async () => {
      const types = Object.values(await this.counts());
      return types.reduce((sum, { counts }) => sum + counts.created + counts.retry, 0);
    });
  }

  get durability(): Durability {
    return this.#assurance.durability;
  }

  get reason(): string | undefined {
    return this.#assurance.reason;
  }

  open(types: readonly string[]): Promise<void> {
    return told(async () => {
      this.#link ??= new RedisLink(this.#options.url, this.#options.prefix, this.#options.note);
      this.#assurance = await this.#link.readAssurance();
      await this.#refuseStranger(this.#link);
      for (const type of types) this.#queues.open(this.#link, type);
    });
  }

  async close(): Promise<void> {
    await this.#queues.close();
    this.#link?.close();
    this.#link = undefined;
  }

  async ping(): Promise<void> {
    await told(() => {
      const late = new Promise<never>((_, reject) => {
        setTimeout(
          () => reject(new StoreAway('cannot ask the queue in Redis: it did not answer')),
          PING_MS,
        ).unref();
      });
      return Promise.race([this.#opened().client.ping(), late]);
    });
  }

  add(job: NewJob): Promise<{ job: JobRecord; duplicate: boolean }> {
    return told(async () => {
      await this.#bound.require();
      const { id, type } = job;
      const holder = await this.#queues.add(this.#opened(), job);
      if (holder !== undefined) throw singletonTaken(type, holder);
      const isNew = (await this.#opened().run<number>('bhIndex', type, id)) === 1;
      if (isNew) this.#bound.added();
      const there = await this.#find(id);
      if (!there) throw new StoreAway('cannot add the job: it was removed at once');
      return { job: there, duplicate: !isNew };
    });
  }

  claim(wishes: readonly Wish[], worker: string, most = Number.POSITIVE_INFINITY): Promise<Claim[]> {
    return told(async () => {
      const left = new Map(wishes.map(({ type, count }) => [type, count]));
      const claims: Claim[] = [];
      for (let misses = 0; claims.length < most && misses < MOST_MISSES; ) {
        const wished = [...left].filter(([, count]) => count > 0);
        const wanted = wished.reduce((sum, [, count]) => sum + count, 0);
        const room = Math.min(wanted, most - claims.length, MOST_AT_ONCE);
        if (room === 0) break;
        const types = await this.#opened().run<string[]>('bhBest', Date.now(), room, ...wished.flat());
        const taken = await this.#queues.take(this.#opened(), types, worker);
        for (const { type } of taken) left.set(type, (left.get(type) ?? 0) - 1);
        claims.push(...taken);
        // Another was faster: the best may be others by now.
        if (taken.length < types.length) misses += 1;
        else if (types.length < room) break;
      }
      return claims;
    });
  }

  renew(claims: readonly Claim[]): Promise<Claim[]> {
    return told(async () => {
      const told = await this.#ask(claims, this.#options.limits.leaseMs);
      return claims.flatMap((claim, at) => {
        const word = told[at] ?? -1;
        return word < 0 ? [] : [{ ...claim, cancelRequested: word === 1 }];
      });
    });
  }

  cancelRequests(claims: readonly Claim[]): Promise<string[]> {
    return told(async () => {
      const told = await this.#ask(claims, 0);
      return claims.flatMap(({ id }, at) => (told[at] === 1 ? [id] : []));
    });
  }

  complete(claim: Claim, result: unknown): Promise<boolean> {
    return this.#end(claim, 'completed', { value: result });
  }

  fail(claim: Claim, failure: JobFailure, retryAt: Date | undefined): Promise<boolean> {
    return this.#end(claim, retryAt ? 'retry' : 'failed', failure, retryAt?.getTime());
  }

  release(claim: Claim): Promise<boolean> {
    return this.#end(claim, 'release');
  }

  cancelled(claim: Claim): Promise<boolean> {
    return this.#end(claim, 'cancelled');
  }

  disown(worker: string, tokens: readonly string[]): Promise<number> {
    return told(() => this.#opened().run('bhDisown', worker, ...tokens));
  }

  get(id: string): Promise<JobRecord | undefined> {
    return told(() => this.#find(id));
  }

  list(filter: ListFilter): Promise<JobList> {
    return told(() => listJobs(this.#opened(), filter, this.durability));
  }

  counts(): Promise<Record<string, TypeCounts>> {
    return told(() => countJobs(this.#opened()));
  }

  cancel(id: string): Promise<'cancelled' | 'asked' | 'finished' | 'unknown'> {
    return told(() => this.#opened().run('bhCancel', id));
  }

  retry(id: string): Promise<'retried' | 'not-finished' | 'unknown'> {
    return told(async () => {
      const [is, holder, type] = await this.#opened().run<
        ['retried' | 'not-finished' | 'unknown' | 'single', string, string]
      >('bhRetry', id);
      if (is === 'single') throw singletonTaken(type, holder);
      return is;
    });
  }

  remove(id: string): Promise<'removed' | 'active' | 'unknown'> {
    return told(() => this.#opened().run('bhRemove', id));
  }

  redrive(type = ''): Promise<number> {
    return told(() => this.#opened().run('bhRedrive', type));
  }

  pause(type: string = EVERYTHING): Promise<void> {
    return told(async () => {
      const { client, keys } = this.#opened();
      await client.sadd(keys.paused, type);
    });
  }

  resume(type: string = EVERYTHING): Promise<void> {
    return told(async () => {
      const { client, keys } = this.#opened();
      if (type === EVERYTHING) await client.del(keys.paused);
      else await client.srem(keys.paused, type);
    });
  }

  paused(): Promise<Paused> {
    return told(() => readPaused(this.#opened()));
  }

  beat(worker: WorkerPresence): Promise<void> {
    return told(() => noteWorker(this.#opened(), worker, this.#options.home));
  }

  leave(workerId: string): Promise<void> {
    return told(async () => {
      const { client, keys } = this.#opened();
      await client.hdel(keys.workers, workerId);
    });
  }

  workers(): Promise<(WorkerPresence & { seenAt: string })[]> {
    return told(() => listWorkers(this.#opened()));
  }

  sweep(dead = '', retention = true): Promise<SweepResult> {
    return told(async () => {
      const link = this.#opened();
      this.#assurance = await link.readAssurance();
      const lost = JSON.stringify(LEASE_LOST);
      const expired = await link.run<[string, string, JobState][]>(
        'bhExpire',
        dead,
        lost,
        this.#options.limits.leaseMs,
      );
      const { completedMs, failedMs, most } = this.#options.limits.keep;
      let removed = 0;
      for (let batch = retention ? BATCH : 0; batch === BATCH; removed += batch)
        batch = await link.run<number>('bhOutlived', completedMs, failedMs, most, BATCH);
      return { expired: expired.map(([id, type, state]) => ({ id, type, state })), removed };
    });
  }

  adopt(jobs: readonly JobRecord[]): Promise<void> {
    return told(async () => {
      await adoptJobs(this.#opened(), jobs);
    });
  }

  /** Jobs of another product would be run here, and ours there. */
  async #refuseStranger(link: RedisLink): Promise<void> {
    const stranger = await findStranger(link, this.#options.home);
    if (stranger === undefined) return;
    throw new Failure(
      `cannot keep jobs in Redis under ${this.#options.prefix}: another product of this name does (${stranger})`,
      { remedy: 'give each its own: queue: { prefix: NAME }; where both are one product, the same to both' },
    );
  }

  async #ask(claims: readonly Claim[], leaseMs: number): Promise<readonly number[]> {
    if (claims.length === 0) return [];
    const args = claims.flatMap(({ type, id, token, progress }) => [
      type,
      id,
      token,
      progress && leaseMs > 0 ? JSON.stringify(progress) : '',
    ]);
    return this.#opened().run<number[]>('bhRenew', leaseMs, ...args);
  }

  #end({ type, id, token, progress }: Claim, end: string, remember?: object, at = 0): Promise<boolean> {
    const texts = [remember ? JSON.stringify(remember) : '', at, progress ? JSON.stringify(progress) : ''];
    return told(
      async () => (await this.#opened().run<number>('bhEnd', type, id, token, end, ...texts)) === 1,
    );
  }

  async #find(id: string): Promise<JobRecord | undefined> {
    const view = await this.#opened().run<FlatView | null>('bhView', id);
    return view === null ? undefined : recordOf(view, this.durability);
  }

  #opened(): RedisLink {
    if (!this.#link) throw new StoreAway('cannot ask the queue in Redis: it is not open');
    return this.#link;
  }
}
