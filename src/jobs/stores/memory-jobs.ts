/** All jobs in memory, and the ways to find one: by id, by singleton key, by what runs next. */
import type { Wish } from '../store.ts';
import { isFinished, isWaiting, type MemoryJob, sizeOf } from './memory-job.ts';
import { WaitingLine } from './memory-line.ts';

interface Kept {
  readonly job: MemoryJob;
  readonly size: number;
}

export class MemoryJobs {
  readonly #kept = new Map<string, Kept>();
  readonly #lines = new Map<string, WaitingLine>();
  /** Type and key → the id of the one job that is not finished. */
  readonly #singles = new Map<string, string>();
  /** Handed over, perhaps: nobody may claim them. */
  readonly #handedOver = new Set<string>();
  #bytes = 0;
  #finishedBytes = 0;
  #waiting = 0;
  #seq = 0;

  get isEmpty(): boolean {
    return this.#kept.size === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get unfinishedBytes(): number {
    return this.#bytes - this.#finishedBytes;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get handedOver(): readonly string[] {
    return [...this.#handedOver];
  }

  nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }

  get(id: string): MemoryJob | undefined {
    return this.#kept.get(id)?.job;
  }

  *all(): Iterable<MemoryJob> {
    for (const { job } of this.#kept.values()) yield job;
  }

  /** The id of the job that has this key, if it is another than `id`. */
  holderOf(type: string, key: string | undefined, id: string): string | undefined {
    if (key === undefined) return undefined;
    const holder = this.#singles.get(single(type, key));
    return holder === id ? undefined : holder;
  }

  /** A new job, or the next state of one that is there. */
  put(job: MemoryJob, now: number): void {
    const old = this.#kept.get(job.id);
    if (old) this.#leave(old);
    const same = old !== undefined && old.job.data === job.data && old.job.result === job.result;
    const size = same ? old.size : sizeOf(job);
    this.#bytes += size;
    if (isFinished(job)) this.#finishedBytes += size;
    this.#kept.set(job.id, { job, size });
    this.#seq = Math.max(this.#seq, job.seq);
    if (!isFinished(job) && job.singletonKey !== undefined)
      this.#singles.set(single(job.type, job.singletonKey), job.id);
    if (!isWaiting(job)) return;
    this.#waiting += 1;
    if (!this.#handedOver.has(job.id)) this.lineOf(job.type).add(job, now);
  }

  /** Keeps it, and gives it to nobody. */
  hold(job: MemoryJob): void {
    this.#handedOver.add(job.id);
    if (isWaiting(job)) this.lineOf(job.type).remove(job);
  }

  delete(id: string): void {
    const old = this.#kept.get(id);
    if (!old) return;
    this.#leave(old);
    this.#kept.delete(id);
    this.#handedOver.delete(id);
  }

  lineOf(type: string): WaitingLine {
    const line = this.#lines.get(type) ?? new WaitingLine();
    this.#lines.set(type, line);
    return line;
  }

  /** The best job of all wishes with something left. */
  best(wishes: Iterable<Wish>, now: number): MemoryJob | undefined {
    let best: MemoryJob | undefined;
    for (const { type, count } of wishes) {
      const first = count > 0 ? this.lineOf(type).first(now) : undefined;
      if (first && (!best || first.priority > best.priority || isOlder(first, best))) best = first;
    }
    return best;
  }

  /** Finished ones, the oldest end first. */
  finished(): MemoryJob[] {
    return [...this.all()].filter(isFinished).sort((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0));
  }

  /** Drops finished jobs, the oldest ends first, until no more than so many bytes are held. Returns their ids. */
  makeRoom(most: number): string[] {
    const gone: string[] = [];
    if (this.#bytes <= most) return gone;
    for (const { id } of this.finished()) {
      if (this.#bytes <= most) break;
      this.delete(id);
      gone.push(id);
    }
    return gone;
  }

  #leave({ job, size }: Kept): void {
    this.#bytes -= size;
    if (isFinished(job)) this.#finishedBytes -= size;
    if (job.singletonKey !== undefined && !isFinished(job))
      this.#singles.delete(single(job.type, job.singletonKey));
    if (!isWaiting(job)) return;
    this.#waiting -= 1;
    this.lineOf(job.type).remove(job);
  }
}

function isOlder(a: MemoryJob, b: MemoryJob): boolean {
  return a.priority === b.priority && a.seq < b.seq;
}

function single(type: string, key: string): string {
  return JSON.stringify([type, key]);
}
