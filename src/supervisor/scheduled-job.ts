/** A schedule that adds a job: once for each of its times, however often it is tried and by how many containers. */
import type { Clock } from '../base/clock.ts';
import type { SchedulePlan } from '../config/plan.ts';
import type { JobAdded, JobsAnswer, JobsErrorCode, JobsRefusal, JobsRequest } from '../protocol/jobs.ts';
import { shortJobId } from '../protocol/stored-line.ts';

/** How long the queue may be away before a time counts as failed. ms */
const PATIENCE = 300_000;
const TRY_AGAIN = 5000;
/** The queue may take it in a moment. */
const PASSING: readonly JobsErrorCode[] = ['worker-away', 'full', 'not-durable'];

/** Whether it was taken in, nobody hears any more: by its key it can be added again. */
const STOPPING: JobsRefusal = { ok: false, code: 'worker-away', message: 'everything is being stopped' };

export interface AddingPorts {
  readonly clock: Clock;
  ask(request: JobsRequest): Promise<JobsAnswer>;
  /** It could not be added at first, and is tried again. */
  waiting(why: string): void;
  readonly signal: AbortSignal;
}

export interface ScheduledJob {
  readonly name: string;
  readonly job: NonNullable<SchedulePlan['job']>;
}

/**
 * Resolves with what became of it; never rejects.
 * @param slot the moment it was due, ms since the epoch; undefined: a person asked for it
 */
export async function addScheduledJob(
  { name, job }: ScheduledJob,
  slot: number | undefined,
  ports: AddingPorts,
): Promise<{ readonly ok: boolean; readonly reason: string }> {
  const { clock, signal } = ports;
  const request: JobsRequest = {
    op: 'add',
    type: job.type,
    ...(job.data === undefined ? {} : { data: job.data }),
    ...(slot === undefined ? {} : { idempotencyKey: `${name}/${new Date(slot).toISOString()}` }),
  };
  const until = clock.mono() + PATIENCE;
  const stopped = new Promise<JobsRefusal>((resolve) =>
    signal.addEventListener('abort', () => resolve(STOPPING), { once: true }),
  );
  for (let tries = 1; ; tries += 1) {
    const answer = await Promise.race([ports.ask(request), stopped]);
    if (answer.ok) return { ok: true, reason: describeAdded(job.type, answer.value as JobAdded) };
    if (answer.code === 'singleton') {
      const other = answer.jobId === undefined ? 'one' : shortJobId(answer.jobId);
      return { ok: true, reason: `added no ${job.type}: ${other} waits or runs already` };
    }
    const again = PASSING.includes(answer.code) && clock.mono() < until && !signal.aborted;
    if (!again) return { ok: false, reason: `${job.type} was not added: ${answer.message}` };
    if (tries === 1) ports.waiting(answer.message);
    await pause(Math.max(TRY_AGAIN, (answer.retryAfter ?? 0) * 1000), clock, signal);
  }
}

function describeAdded(type: string, { job, duplicate }: JobAdded): string {
  return duplicate
    ? `${type} ${shortJobId(job.id)} was added already`
    : `added ${type} ${shortJobId(job.id)}`;
}

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const disarm = clock.after(ms, resolve);
    signal.addEventListener(
      'abort',
      () => {
        disarm();
        resolve();
      },
      { once: true },
    );
  });
}
