/** Jobs, leases and journal of the memory, kept in step: a change is made in memory, and is a line of the journal. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Claim, StoreLimits } from '../store.ts';
import { expireLease, remember } from './memory-changes.ts';
import type { Change, JournalLine, MemoryJob } from './memory-job.ts';
import { MemoryJobs } from './memory-jobs.ts';
import { MemoryJournal } from './memory-journal.ts';

export interface MemoryOptions {
  readonly limits: StoreLimits;
  /** Of data and results; what is finished makes room first. */
  readonly maxBytes: number;
  /** A file in a folder of our own. Undefined: `volatile` from the beginning. */
  readonly journal: string | undefined;
  readonly clock: Pick<Clock, 'mono' | 'now'>;
  /** What an operator should know. */
  readonly note: (text: string) => void;
}

export class MemoryCore {
  readonly options: MemoryOptions;
  readonly jobs = new MemoryJobs();
  readonly journal: MemoryJournal;
  /** Of active jobs, monotonic. */
  readonly leases = new Map<string, number>();
  readonly paused = new Set<string>();
  #opened = false;

  constructor(options: MemoryOptions) {
    this.options = options;
    this.journal = new MemoryJournal({
      path: options.journal,
      snapshot: () => this.#snapshot(),
      bytes: () => this.jobs.bytes,
      mono: () => options.clock.mono(),
      note: options.note,
    });
  }

  /** What was active when the journal was last written waits again: nobody runs it any more. */
  async open(): Promise<void> {
    if (this.#opened) return;
    this.#opened = true;
    const { jobs, paused, handedOver } = await this.journal.replay();
    for (const job of jobs.values()) this.jobs.put(job, this.now());
    for (const type of paused) this.paused.add(type);
    for (const job of jobs.values()) if (handedOver.has(job.id)) this.jobs.hold(job);
    for (const job of [...this.jobs.all()])
      if (job.state === 'active') this.end(job, expireLease(job, this.now()));
    await this.journal.rewrite();
  }

  now(): number {
    return this.options.clock.now();
  }

  lease(id: string): void {
    this.leases.set(id, this.options.clock.mono() + this.options.limits.leaseMs);
  }

  /** The job of a claim that is not lost. */
  held({ id, token }: Claim): MemoryJob | undefined {
    const job = this.jobs.get(id);
    return job?.state === 'active' && job.token === token ? job : undefined;
  }

  claim(job: MemoryJob, worker: string): { readonly claim: Claim; readonly line: JournalLine } {
    const { id, type, data, priority, maxAttempts, parent, round = 0 } = job;
    const attempt = job.attempts + 1;
    const token = randomUUID();
    const started = { state: 'active', attempts: attempt, startedAt: this.now(), worker, token } as const;
    const line = this.change(job, { ...started, startAfter: undefined, progress: undefined });
    this.lease(id);
    const fence = { attempt, worker, token, cancelRequested: false };
    return { claim: { id, type, data, priority, maxAttempts, parent, round, ...fence }, line };
  }

  /** Memory first, then the journal: nobody is told before the line is written. */
  change(job: MemoryJob, change: Change): JournalLine {
    const ends = change.state !== undefined && change.state !== 'active';
    const full: Change = ends ? { ...change, token: undefined, cancelRequested: undefined } : change;
    if (ends) this.leases.delete(job.id);
    this.jobs.put({ ...job, ...full }, this.now());
    const unset = Object.entries(full).flatMap(([key, value]) => (value === undefined ? [key] : []));
    return { id: job.id, set: full, unset };
  }

  /** An attempt is over. */
  end(job: MemoryJob, change: Change): JournalLine {
    return this.change(job, remember(job, change, this.now()));
  }

  put(job: MemoryJob): JournalLine {
    this.jobs.put(job, this.now());
    return { job };
  }

  *#snapshot(): Iterable<JournalLine> {
    yield { paused: [...this.paused] };
    for (const job of this.jobs.all()) yield { job };
    yield { handedOver: this.jobs.handedOver };
  }
}
