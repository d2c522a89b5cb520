/** The program `worker`: the queue of this container, as a child of PID 1 that starts every attempt for it. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../base/errors.ts';
import type { Job } from '../../program/job.ts';
import type { AttemptLine, ToWorker } from '../../protocol/jobs.ts';
import { systemClock } from '../../system/clock.ts';
import { ensureDir } from '../../system/files.ts';
import { MemoryStore } from '../stores/memory.ts';
import { durableStore, limitsOf } from './open-durable.ts';
import { stopTime, Worker } from './worker.ts';
import { ownWorkerId } from './worker-id.ts';

/** Of the memory that stands in for a durable store. */
const DEPUTY_JOBS = 1000;
const MEMORY_BYTES = 16 * 1024 * 1024;

export async function runWorker(job: Job): Promise<void> {
  const { assignment } = job;
  const plan = assignment.jobs;
  if (!plan) throw new Error('the assignment has no jobs');
  job.takeForStop(stopTime(plan));
  const durable = await durableStore(plan, assignment, job.note);
  const limits = limitsOf(plan);
  const memory = new MemoryStore({
    limits: durable ? { ...limits, maxWaiting: Math.min(limits.maxWaiting, DEPUTY_JOBS) } : limits,
    maxBytes: MEMORY_BYTES,
    journal: placeJournal(assignment.dataDir),
    clock: systemClock,
    note: job.note,
  });
  const failed = Promise.withResolvers<never>();
  // It is waited for only when everything has begun.
  failed.promise.catch(() => undefined);
  const worker = new Worker({
    plan,
    workerId: ownWorkerId(),
    host: hostname(),
    durable,
    memory,
    attempts: {
      start: (attempt, type, number, data) =>
        job.send({ type: 'attempt-start', attempt, job: type, number, data }),
      stop: (attempt, now) => job.send({ type: 'attempt-stop', attempt, ...(now ? { now } : {}) }),
    },
    clock: systemClock,
    random: Math.random,
    say: job.say,
    note: job.note,
    summary: (summary) => job.send({ type: 'jobs-status', summary }),
    happened: (event) => job.send({ type: 'job-event', event }),
    failed: failed.reject,
  });
  // Nobody starts or ends an attempt any more: whoever looks after the queue next waits for our leases.
  const alone = new Failure('cannot go on: the supervisor is gone');
  job.hear(
    (message) => take(worker, job, message),
    () => failed.reject(alone),
  );
  job.showLife();
  try {
    await worker.start();
    await Promise.race([asked(job.signal), failed.promise]);
    await worker.stop();
  } finally {
    await Promise.all([durable?.close(), memory.close()]);
  }
}

function take(worker: Worker, job: Job, message: ToWorker): void {
  switch (message.type) {
    case 'attempt-report':
      worker.heard(message.attempt, (message.line ?? {}) as Partial<AttemptLine>);
      break;
    case 'attempt-ended':
      worker.ended(message);
      break;
    case 'jobs-request':
      void worker
        .answer(message.request)
        .then((answer) => job.send({ type: 'jobs-answer', id: message.id, answer }));
  }
}

/** PID 1 makes the folder where it is not ours to make. What cannot be written there, the store says itself. */
function placeJournal(dataDir: string): string {
  const folder = join(dataDir, 'bulkhead', 'jobs');
  try {
    ensureDir(folder, 0o700);
  } catch {
    // Not ours, or a disk that cannot be written.
  }
  return join(folder, 'journal');
}

function asked(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
