/** The jobs of one type that wait: those that may run, best first, and those whose time has not come. */
import type { MemoryJob } from './memory-job.ts';

type Order = (a: MemoryJob, b: MemoryJob) => number;

const byRank: Order = (a, b) => b.priority - a.priority || a.seq - b.seq;
const byTime: Order = (a, b) => (a.startAfter ?? 0) - (b.startAfter ?? 0) || a.seq - b.seq;

/** A job is taken out as it was put in: with the same priority, seq and startAfter. */
export class WaitingLine {
  readonly #ready: MemoryJob[] = [];
  readonly #delayed: MemoryJob[] = [];

  get length(): number {
    return this.#ready.length + this.#delayed.length;
  }

  add(job: MemoryJob, now: number): void {
    if ((job.startAfter ?? 0) <= now) insert(this.#ready, job, byRank);
    else insert(this.#delayed, job, byTime);
  }

  remove(job: MemoryJob): void {
    if (!cut(this.#ready, job, byRank)) cut(this.#delayed, job, byTime);
  }

  /** The best that may run; it stays in the line. */
  first(now: number): MemoryJob | undefined {
    this.#letIn(now);
    return this.#ready[0];
  }

  /** Since when the oldest that may run was there. */
  oldest(now: number): number | undefined {
    this.#letIn(now);
    let oldest: number | undefined;
    for (const { createdAt } of this.#ready)
      if (oldest === undefined || createdAt < oldest) oldest = createdAt;
    return oldest;
  }

  #letIn(now: number): void {
    for (let job = this.#delayed[0]; job && (job.startAfter ?? 0) <= now; job = this.#delayed[0]) {
      this.#delayed.shift();
      insert(this.#ready, job, byRank);
    }
  }
}

function place(list: readonly MemoryJob[], job: MemoryJob, order: Order): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order(list[middle] as MemoryJob, job) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert(list: MemoryJob[], job: MemoryJob, order: Order): void {
  list.splice(place(list, job, order), 0, job);
}

function cut(list: MemoryJob[], job: MemoryJob, order: Order): boolean {
  const at = place(list, job, order);
  if (list[at]?.id !== job.id) return false;
  list.splice(at, 1);
  return true;
}
