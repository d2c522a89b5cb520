/** The store in memory, with a journal on the volume: what stands in for a durable one, and says so. */
import type { Durability, JobList, JobState } from '../../protocol/jobs.ts';
import type {
  Claim,
  HandingOver,
  JobFailure,
  JobRecord,
  JobStore,
  ListFilter,
  NewJob,
  Paused,
  SweepResult,
  TypeCounts,
  Wish,
  WorkerPresence,
} from '../store.ts';
import { StoreRefusal } from '../store.ts';
import { beginAnew, expireLease, failAttempt, finish, releaseAttempt } from './memory-changes.ts';
import { MemoryCore, type MemoryOptions } from './memory-core.ts';
import {
  type Change,
  isFinished,
  type JournalLine,
  jobOf,
  type MemoryJob,
  sizeOf,
  viewOf,
} from './memory-job.ts';
import { countJobs, listJobs, outlived, Presences } from './memory-lists.ts';
import { EVERYTHING, notAdopted, singletonTaken } from './words.ts';

export class MemoryStore implements JobStore, HandingOver {
  readonly kind = 'memory';
  readonly #core: MemoryCore;
  readonly #workers = new Presences();

  constructor(options: MemoryOptions) {
    this.#core = new MemoryCore(options);
  }

  get durability(): Durability {
    return this.#core.journal.durability;
  }

  get reason(): string | undefined {
    return this.#core.journal.reason;
  }

  get isEmpty(): boolean {
    return this.#core.jobs.isEmpty;
  }

  async open(): Promise<void> {
    await this.#core.open();
  }

  async close(): Promise<void> {
    await this.#core.journal.close();
  }

  async ping(): Promise<void> {}

  async add(job: NewJob): Promise<{ job: JobRecord; duplicate: boolean }> {
    const known = this.#core.jobs.get(job.id);
    if (known) return { job: viewOf(known, this.durability), duplicate: true };
    const holder = this.#core.jobs.holderOf(job.type, job.singletonKey, job.id);
    if (holder !== undefined) throw singletonTaken(job.type, holder);
    const { data, startAfter } = job;
    const added: MemoryJob = {
      id: job.id,
      type: job.type,
      data: data ?? null,
      priority: job.priority,
      maxAttempts: job.maxAttempts,
      parent: job.parent,
      singletonKey: job.singletonKey,
      startAfter: startAfter?.getTime(),
      createdAt: this.#core.now(),
      seq: this.#core.jobs.nextSeq(),
      state: 'created',
      attempts: 0,
    };
    await this.#core.journal.write([...this.#makeRoom(added), this.#core.put(added)]);
    return { job: viewOf(added, this.durability), duplicate: false };
  }

  async claim(wishes: readonly Wish[], worker: string, most = Number.POSITIVE_INFINITY): Promise<Claim[]> {
    if (this.#core.paused.has(EVERYTHING)) return [];
    const left = wishes.filter(({ type }) => !this.#core.paused.has(type)).map((wish) => ({ ...wish }));
    const claims: Claim[] = [];
    const lines: JournalLine[] = [];
    while (claims.length < most) {
      const job = this.#core.jobs.best(left, this.#core.now());
      const wish = left.find(({ type }) => type === job?.type);
      if (!job || !wish) break;
      wish.count -= 1;
      const { line, claim } = this.#core.claim(job, worker);
      lines.push(line);
      claims.push(claim);
    }
    await this.#core.journal.write(lines);
    return claims;
  }

  async renew(claims: readonly Claim[]): Promise<Claim[]> {
    return claims.flatMap((claim) => {
      const job = this.#core.held(claim);
      if (!job) return [];
      this.#core.lease(job.id);
      const { progress } = claim;
      if (progress) this.#core.jobs.put({ ...job, progress }, this.#core.now());
      return [{ ...claim, cancelRequested: job.cancelRequested === true }];
    });
  }

  async cancelRequests(claims: readonly Claim[]): Promise<string[]> {
    return claims.filter((claim) => this.#core.held(claim)?.cancelRequested).map(({ id }) => id);
  }

  complete(claim: Claim, result: unknown): Promise<boolean> {
    return this.#end(claim, () => ({ ...finish('completed', this.#core.now()), result, failure: undefined }));
  }

  fail(claim: Claim, failure: JobFailure, retryAt: Date | undefined): Promise<boolean> {
    return this.#end(claim, (job) => failAttempt(job, failure, retryAt, this.#core.now()));
  }

  release(claim: Claim): Promise<boolean> {
    return this.#end(claim, (job) => releaseAttempt(job, this.#core.now()));
  }

  cancelled(claim: Claim): Promise<boolean> {
    return this.#end(claim, () => finish('cancelled', this.#core.now()));
  }

  async disown(worker: string, tokens: readonly string[]): Promise<number> {
    const lines: JournalLine[] = [];
    for (const id of [...this.#core.leases.keys()]) {
      const job = this.#core.jobs.get(id);
      if (job?.worker !== worker || tokens.includes(job.token ?? '')) continue;
      lines.push(this.#core.end(job, releaseAttempt(job, this.#core.now())));
    }
    await this.#core.journal.write(lines);
    return lines.length;
  }

  async get(id: string): Promise<JobRecord | undefined> {
    const job = this.#core.jobs.get(id);
    return job && viewOf(job, this.durability);
  }

  async list(filter: ListFilter): Promise<JobList> {
    return listJobs(this.#core.jobs, filter, this.durability);
  }

  async counts(): Promise<Record<string, TypeCounts>> {
    return countJobs(this.#core.jobs, this.#core.now());
  }

  async cancel(id: string): Promise<'cancelled' | 'asked' | 'finished' | 'unknown'> {
    const job = this.#core.jobs.get(id);
    if (!job) return 'unknown';
    if (isFinished(job)) return 'finished';
    const active = job.state === 'active';
    const change: Change = active ? { cancelRequested: true } : finish('cancelled', this.#core.now());
    await this.#core.journal.write([this.#core.change(job, change)]);
    return active ? 'asked' : 'cancelled';
  }

  async retry(id: string): Promise<'retried' | 'not-finished' | 'unknown'> {
    const job = this.#core.jobs.get(id);
    if (!job) return 'unknown';
    if (!isFinished(job)) return 'not-finished';
    const holder = this.#core.jobs.holderOf(job.type, job.singletonKey, job.id);
    if (holder !== undefined) throw singletonTaken(job.type, holder);
    await this.#core.journal.write([this.#core.change(job, beginAnew(job))]);
    return 'retried';
  }

  async remove(id: string): Promise<'removed' | 'active' | 'unknown'> {
    const job = this.#core.jobs.get(id);
    if (!job) return 'unknown';
    if (job.state === 'active') return 'active';
    await this.forget([id]);
    return 'removed';
  }

  async redrive(type?: string): Promise<number> {
    const lines: JournalLine[] = [];
    for (const job of this.#core.jobs.finished()) {
      if (job.state !== 'failed' || (type !== undefined && job.type !== type)) continue;
      if (this.#core.jobs.holderOf(job.type, job.singletonKey, job.id) !== undefined) continue;
      lines.push(this.#core.change(job, beginAnew(job)));
    }
    await this.#core.journal.write(lines);
    return lines.length;
  }

  async pause(type: string = EVERYTHING): Promise<void> {
    this.#core.paused.add(type);
    await this.#core.journal.write([{ paused: [...this.#core.paused] }]);
  }

  async resume(type: string = EVERYTHING): Promise<void> {
    if (type === EVERYTHING) this.#core.paused.clear();
    else this.#core.paused.delete(type);
    await this.#core.journal.write([{ paused: [...this.#core.paused] }]);
  }

  async paused(): Promise<Paused> {
    const types = [...this.#core.paused].filter((type) => type !== EVERYTHING).sort();
    return { all: this.#core.paused.has(EVERYTHING), types };
  }

  async beat(worker: WorkerPresence): Promise<void> {
    this.#workers.beat(worker, this.#core.options.clock);
  }

  async leave(workerId: string): Promise<void> {
    this.#workers.leave(workerId);
  }

  async workers(): Promise<(WorkerPresence & { seenAt: string })[]> {
    return this.#workers.list(this.#core.options.clock.mono());
  }

  async sweep(dead?: string, retention = true): Promise<SweepResult> {
    await this.#core.journal.repair();
    const lines: JournalLine[] = [];
    const expired: { id: string; type: string; state: JobState }[] = [];
    for (const [id, until] of [...this.#core.leases]) {
      const job = this.#core.jobs.get(id);
      if (!job || (until > this.#core.options.clock.mono() && job.worker !== dead)) continue;
      const change = expireLease(job, this.#core.now());
      lines.push(this.#core.end(job, change));
      expired.push({ id, type: job.type, state: change.state });
    }
    const { keep } = this.#core.options.limits;
    const gone = retention ? outlived(this.#core.jobs, keep, this.#core.now()) : [];
    for (const id of gone) this.#core.jobs.delete(id);
    await this.#core.journal.write([...lines, ...gone.map((id) => ({ gone: id }))]);
    return { expired, removed: gone.length };
  }

  async adopt(jobs: readonly JobRecord[]): Promise<void> {
    const lines: JournalLine[] = [];
    for (const record of jobs) {
      if (this.#core.jobs.get(record.id)) continue;
      const job = jobOf(record, this.#core.jobs.nextSeq());
      const holder = isFinished(job)
        ? undefined
        : this.#core.jobs.holderOf(job.type, job.singletonKey, job.id);
      const refused = { ...finish('cancelled', this.#core.now()), failure: notAdopted(job.type) };
      lines.push(this.#core.put(holder === undefined ? job : { ...job, ...refused }));
    }
    await this.#core.journal.write(lines);
  }

  takeAll(most?: number): JobRecord[] {
    const taken = [...this.#core.jobs.all()]
      .filter(({ state }) => state !== 'active')
      .sort((a, b) => a.seq - b.seq)
      .slice(0, most);
    for (const job of taken) this.#core.jobs.hold(job);
    return taken.map((job) => viewOf(job, this.durability));
  }

  async noteHandedOver(ids: readonly string[]): Promise<void> {
    await this.#core.journal.write([{ handedOver: ids }]);
  }

  async forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#core.jobs.delete(id);
    await this.#core.journal.write(ids.map((id) => ({ gone: id })));
  }

  async #end(claim: Claim, change: (job: MemoryJob) => Change): Promise<boolean> {
    const job = this.#core.held(claim);
    if (!job) return false;
    const progress = claim.progress ?? job.progress;
    await this.#core.journal.write([
      this.#core.end(job, { ...(progress ? { progress } : {}), ...change(job) }),
    ]);
    return true;
  }

  /** What is finished makes room; a queue full of what waits refuses. */
  #makeRoom(job: MemoryJob): JournalLine[] {
    const { limits, maxBytes } = this.#core.options;
    const { waiting } = this.#core.jobs;
    const fits = waiting < limits.maxWaiting && sizeOf(job) <= maxBytes - this.#core.jobs.unfinishedBytes;
    if (!fits)
      throw new StoreRefusal('full', `cannot add the job: ${waiting} wait already, which fills the queue`);
    return this.#core.jobs.makeRoom(maxBytes - sizeOf(job)).map((gone) => ({ gone }));
  }
}
