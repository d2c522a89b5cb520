/** What people ask of the jobs in memory, and what workers tell of themselves. */
import type { Durability, JobList, JobState } from '../../protocol/jobs.ts';
import type { ListFilter, StoreLimits, TypeCounts, WorkerPresence } from '../store.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { viewOf } from './memory-job.ts';
import type { MemoryJobs } from './memory-jobs.ts';
import { emptyCounts, WORKER_SILENT_MS } from './words.ts';

export function listJobs(
  all: MemoryJobs,
  { states, type, limit, cursor }: ListFilter,
  durability: Durability,
): JobList {
  const [time = Number.POSITIVE_INFINITY, seq = 0] =
    cursor === undefined ? [] : (readCursor(cursor, ['number', 'number']) as number[]);
  const found = [...all.all()]
    .filter((job) => (states?.includes(job.state) ?? true) && (type === undefined || job.type === type))
    .filter((job) => job.createdAt < time || (job.createdAt === time && job.seq < seq))
    .sort((a, b) => b.createdAt - a.createdAt || b.seq - a.seq);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    jobs: page.map((job) => viewOf(job, durability)),
    ...(found.length > limit && last ? { cursor: writeCursor([last.createdAt, last.seq]) } : {}),
  };
}

export function countJobs(all: MemoryJobs, now: number): Record<string, TypeCounts> {
  const counted = new Map<string, Record<JobState, number>>();
  for (const { type, state } of all.all()) {
    const counts = counted.get(type) ?? emptyCounts();
    counted.set(type, counts);
    counts[state] += 1;
  }
  return Object.fromEntries(
    [...counted].map(([type, counts]) => {
      const oldest = all.lineOf(type).oldest(now);
      const since = oldest === undefined ? {} : { oldestQueuedAt: new Date(oldest).toISOString() };
      return [type, { counts, ...since }];
    }),
  );
}

/** Finished jobs that have been kept long enough, or are too many: the oldest ends first. */
export function outlived(
  all: MemoryJobs,
  { completedMs, failedMs, most }: StoreLimits['keep'],
  now: number,
): string[] {
  const finished = all.finished();
  const beyond = finished.length - most;
  return finished.flatMap(({ id, state, finishedAt = now }, index) =>
    index < beyond || now - finishedAt >= (state === 'completed' ? completedMs : failedMs) ? [id] : [],
  );
}

/** Who works here, as long as they say so. */
export class Presences {
  readonly #seen = new Map<string, WorkerPresence & { readonly seenAt: string; readonly mono: number }>();

  beat(worker: WorkerPresence, clock: { mono(): number; now(): number }): void {
    this.#seen.set(worker.id, { ...worker, seenAt: new Date(clock.now()).toISOString(), mono: clock.mono() });
  }

  leave(id: string): void {
    this.#seen.delete(id);
  }

  list(mono: number): (WorkerPresence & { seenAt: string })[] {
    return [...this.#seen.values()]
      .filter((worker) => worker.mono >= mono - WORKER_SILENT_MS)
      .map(({ id, host, active, seenAt }) => ({ id, host, active, seenAt }));
  }
}
