/** The store in PostgreSQL: pg-boss keeps the jobs, leases and everything asked of them lie in the same statements. */
import type { PgBoss } from 'pg-boss';
import { type PoolOptions, SessionPool } from '../../postgres/session-pool.ts';
import type { JobList } from '../../protocol/jobs.ts';
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
import { adoptJobs, countJobs, dropOutlived, expireLeases, findJob, listJobs } from './postgres-asks.ts';
import { told } from './postgres-away.ts';
import { closeBoss, insertJob, makeQueue, openBoss } from './postgres-boss.ts';
import { PostgresHerald } from './postgres-herald.ts';
import { type ClaimRow, claimOf, jsonbOf, type NoClaimRow, pack, textOf } from './postgres-job.ts';
import {
  cancelJob,
  changes,
  findHolder,
  redriveJobs,
  removeJob,
  retryJob,
  TRIES,
} from './postgres-orders.ts';
import * as sql from './postgres-sql.ts';
import { listWorkers, noteWorker } from './postgres-workers.ts';
import { WaitingBound } from './waiting-bound.ts';
import { EVERYTHING, singletonTaken } from './words.ts';

export interface PostgresOptions {
  /** Opens a session in the database whose schema `bulkhead_jobs` is ours. */
  readonly connect: PoolOptions['open'];
  readonly limits: StoreLimits;
  /** What an operator should know. */
  readonly note: (text: string) => void;
}

/** At once, of one worker. */
const MOST_SESSIONS = 4;
const DEADLINE_MS = 10_000;
const PING_MS = 2000;

export class PostgresStore implements JobStore {
  readonly kind = 'postgres';
  readonly durability = 'durable';
  readonly reason = undefined;
  readonly #options: PostgresOptions;
  readonly #pool: SessionPool;
  readonly #bound: WaitingBound;
  readonly herald: PostgresHerald;
  readonly #queues = new Set<string>();
  #boss: PgBoss | undefined;

  constructor(options: PostgresOptions) {
    this.#options = options;
    this.#pool = new SessionPool({ open: options.connect, most: MOST_SESSIONS, deadlineMs: DEADLINE_MS });
    this.herald = new PostgresHerald(options.connect, this.#pool);
    const { maxWaiting } = options.limits;
    this.#bound = new WaitingBound(maxWaiting, async () => {
      const { rows } = await this.#pool.query<{ waiting: number }>(sql.WAITING, [maxWaiting]);
      return rows[0]?.waiting ?? 0;
    });
  }

  open(types: readonly string[]): Promise<void> {
    return told(async () => {
      this.#boss ??= await openBoss(this.#pool, this.#options.note);
      for (const type of types) await this.#ensureQueue(type);
    });
  }

  async close(): Promise<void> {
    if (this.#boss) await closeBoss(this.#boss);
    this.#boss = undefined;
    await Promise.all([this.herald.close(), this.#pool.close()]);
  }

  async ping(): Promise<void> {
    await told(() => this.#pool.within((ask) => ask('SELECT'), PING_MS));
  }

  add(job: NewJob): Promise<{ job: JobRecord; duplicate: boolean }> {
    return told(async () => {
      await this.#bound.require();
      await this.#ensureQueue(job.type);
      for (let tries = 0; tries < TRIES; tries += 1) {
        const isNew = await insertJob(this.#opened(), this.#pool, job);
        if (isNew) this.#bound.added();
        const there = await findJob(this.#pool, job.id);
        if (there) return { job: there, duplicate: !isNew };
        const holder = isNew ? undefined : await findHolder(this.#pool, job);
        if (holder !== undefined) throw singletonTaken(job.type, holder);
      }
      throw new StoreAway('cannot add the job: others of its key come and go');
    });
  }

  claim(wishes: readonly Wish[], worker: string, most = Number.POSITIVE_INFINITY): Promise<Claim[]> {
    const limit = Math.min(
      wishes.reduce((sum, { count }) => sum + Math.max(0, count), 0),
      most,
    );
    if (limit <= 0) return Promise.resolve([]);
    return told(async () => {
      const wished = [wishes.map(({ type }) => type), wishes.map(({ count }) => count)];
      const values = [...wished, limit, textOf(worker), this.#options.limits.leaseMs];
      const { rows } = await this.#pool.query<ClaimRow | NoClaimRow>(sql.CLAIM, values);
      this.herald.claimed(rows[0]?.claimed_us);
      return rows.flatMap((row) => (row.id === null ? [] : [claimOf(row, worker)]));
    });
  }

  renew(claims: readonly Claim[]): Promise<Claim[]> {
    if (claims.length === 0) return Promise.resolve([]);
    return told(async () => {
      const ids = claims.map(({ id }) => id);
      const tokens = claims.map(({ token }) => token);
      const progresses = claims.map(({ progress }) => (progress ? jsonbOf(progress) : null));
      const { rows } = await this.#pool.query<{ job_id: string; token: string; cancel_requested: boolean }>(
        sql.RENEW,
        [ids, tokens, progresses, this.#options.limits.leaseMs],
      );
      const ours = new Map(rows.map((row) => [row.job_id, row]));
      return claims.flatMap((claim) => {
        const row = ours.get(claim.id);
        return row?.token === claim.token ? [{ ...claim, cancelRequested: row.cancel_requested }] : [];
      });
    });
  }

  cancelRequests(claims: readonly Claim[]): Promise<string[]> {
    if (claims.length === 0) return Promise.resolve([]);
    return told(async () => {
      const values = [claims.map(({ id }) => id), claims.map(({ token }) => token)];
      const { rows } = await this.#pool.query<{ job_id: string }>(sql.CANCEL_REQUESTS, values);
      return rows.map(({ job_id }) => job_id);
    });
  }

  complete(claim: Claim, result: unknown): Promise<boolean> {
    return this.#end(sql.COMPLETE, claim, pack(result));
  }

  fail(claim: Claim, failure: JobFailure, retryAt: Date | undefined): Promise<boolean> {
    // By how far, not when: this clock and the server's may differ.
    const inMs = retryAt ? Math.max(0, retryAt.getTime() - Date.now()) : null;
    return this.#end(sql.FAIL, claim, { failure }, [inMs]);
  }

  release(claim: Claim): Promise<boolean> {
    return this.#end(sql.RELEASE, claim);
  }

  cancelled(claim: Claim): Promise<boolean> {
    return this.#end(sql.CANCELLED, claim, {});
  }

  disown(worker: string, tokens: readonly string[]): Promise<number> {
    const values = [textOf(worker), tokens];
    return told(async () => (await this.#pool.query(sql.DISOWN, values)).rowCount ?? 0);
  }

  get(id: string): Promise<JobRecord | undefined> {
    return told(() => findJob(this.#pool, id));
  }

  list(filter: ListFilter): Promise<JobList> {
    return told(() => listJobs(this.#pool, filter));
  }

  counts(): Promise<Record<string, TypeCounts>> {
    return told(() => countJobs(this.#pool));
  }

  cancel(id: string): Promise<'cancelled' | 'asked' | 'finished' | 'unknown'> {
    return told(() => cancelJob(this.#pool, id));
  }

  retry(id: string): Promise<'retried' | 'not-finished' | 'unknown'> {
    return told(() => retryJob(this.#pool, id));
  }

  remove(id: string): Promise<'removed' | 'active' | 'unknown'> {
    return told(() => removeJob(this.#pool, id));
  }

  redrive(type?: string): Promise<number> {
    return told(() => redriveJobs(this.#pool, type));
  }

  pause(type: string = EVERYTHING): Promise<void> {
    return told(async () => void (await this.#pool.query(sql.PAUSE_ONE, [type])));
  }

  resume(type: string = EVERYTHING): Promise<void> {
    return told(async () => void (await this.#pool.query(sql.RESUME, [type])));
  }

  paused(): Promise<Paused> {
    return told(async () => {
      const types = (await this.#pool.query<{ type: string }>(sql.PAUSED)).rows.map(({ type }) => type);
      return { all: types.includes(EVERYTHING), types: types.filter((type) => type !== EVERYTHING) };
    });
  }

  beat(worker: WorkerPresence): Promise<void> {
    return told(() => noteWorker(this.#pool, worker, this.herald.nextWord()));
  }

  leave(workerId: string): Promise<void> {
    return told(async () => void (await this.#pool.query(sql.LEAVE, [textOf(workerId)])));
  }

  workers(): Promise<(WorkerPresence & { seenAt: string })[]> {
    return told(() => listWorkers(this.#pool));
  }

  sweep(dead?: string, retention = true): Promise<SweepResult> {
    return told(async () => {
      const expired = await expireLeases(this.#pool, dead);
      if (!retention) return { expired, removed: 0 };
      const removed = await dropOutlived(this.#pool, this.#options.limits.keep);
      await this.#pool.query(sql.FORGET_WORKERS);
      return { expired, removed };
    });
  }

  adopt(jobs: readonly JobRecord[]): Promise<void> {
    return told(async () => {
      for (const type of new Set(jobs.map((job) => job.type))) await this.#ensureQueue(type);
      await adoptJobs(this.#pool, jobs);
    });
  }

  #opened(): PgBoss {
    if (!this.#boss) throw new StoreAway('cannot ask the queue in PostgreSQL: it is not open');
    return this.#boss;
  }

  async #ensureQueue(type: string): Promise<void> {
    if (this.#queues.has(type)) return;
    await makeQueue(this.#opened(), type);
    this.#queues.add(type);
  }

  #end(
    text: string,
    { id, token, type, progress }: Claim,
    remember?: object,
    more: unknown[] = [],
  ): Promise<boolean> {
    const remembered = remember && [jsonbOf({ ...remember, ...(progress ? { progress } : {}) })];
    return told(() => changes(this.#pool, text, [id, token, type, ...(remembered ?? []), ...more]));
  }
}
