/**
 * A schedule that adds a job: once for each of its times, however often it is tried and by how many containers. It runs
 * for as long as its job does, and what fails there has failed here.
 */
import type { Clock } from '../base/clock.ts';
import type { SchedulePlan } from '../config/plan-schedules.ts';
import type {
  JobAdded,
  JobsAnswer,
  JobsErrorCode,
  JobsRefusal,
  JobsRequest,
  JobView,
} from '../protocol/jobs.ts';
import { shortJobId } from '../protocol/stored-line.ts';

/** How long the queue may be away before a time counts as failed. ms */
const PATIENCE = 300_000;
const TRY_AGAIN = 5000;
/** How often the queue is asked whether the job is over: soon at first. ms */
const SHORTEST_LOOK = 500;
const LONGEST_LOOK = 5000;
/** The queue may take it in a moment. */
const PASSING: readonly JobsErrorCode[] = ['worker-away', 'full', 'not-durable'];

/** Whether it was taken in, nobody hears any more: by its key it can be added again. */
const STOPPING: JobsRefusal = { ok: false, code: 'worker-away', message: 'everything is being stopped' };

export interface AddingPorts {
  readonly clock: Clock;
  ask(request: JobsRequest): Promise<JobsAnswer>;
  /** It could not be added at first, and is tried again. */
  waiting(why: string): void;
  /** It was, as these words say, and now is waited for. */
  added(what: string): void;
  readonly signal: AbortSignal;
}

export interface ScheduledJob {
  readonly name: string;
  readonly job: NonNullable<SchedulePlan['job']>;
}

export interface ScheduledEnd {
  readonly ok: boolean;
  readonly reason: string;
  /** Everything is being stopped; the job is in the queue, and nobody heard of its end. */
  readonly isLeft?: true;
}

/**
 * Resolves with what became of it; never rejects.
 * @param slot the moment it was due, ms since the epoch; undefined: a person asked for it
 */
export async function addScheduledJob(
  { name, job }: ScheduledJob,
  slot: number | undefined,
  ports: AddingPorts,
): Promise<ScheduledEnd> {
  const { clock, signal } = ports;
  const request: JobsRequest = {
    op: 'add',
    type: job.type,
    ...(job.data === undefined ? {} : { data: job.data }),
    ...(slot === undefined ? {} : { idempotencyKey: `${name}/${new Date(slot).toISOString()}` }),
  };
  const until = clock.mono() + PATIENCE;
  for (let tries = 1; ; tries += 1) {
    const answer = await unlessStopped(ports.ask(request), signal);
    if (answer.ok) {
      const added = answer.value as JobAdded;
      ports.added(describeAdded(job.type, added));
      return followJob(added.job, ports);
    }
    if (answer.code === 'singleton') {
      const other = answer.jobId === undefined ? 'one' : shortJobId(answer.jobId);
      return { ok: true, reason: `added no ${job.type}: ${other} waits or runs already` };
    }
    // Of this very time, by a container of another plan or before a reload: it is there, and was not to be twice.
    if (answer.code === 'key-reused' && answer.jobId !== undefined) {
      ports.added(`${job.type} ${shortJobId(answer.jobId)} was added already, with other data`);
      return followJob({ id: answer.jobId, type: job.type }, ports);
    }
    const again = PASSING.includes(answer.code) && clock.mono() < until && !signal.aborted;
    if (!again) return { ok: false, reason: `${job.type} was not added: ${answer.message}` };
    if (tries === 1) ports.waiting(answer.message);
    await pause(Math.max(TRY_AGAIN, (answer.retryAfter ?? 0) * 1000), clock, signal);
  }
}

/** Asks again and again: a store tells nobody of changes. One that is away, or between two workers, is waited for. */
async function followJob(
  { id, type }: Pick<JobView, 'id' | 'type'>,
  { ask, clock, signal }: AddingPorts,
): Promise<ScheduledEnd> {
  const name = `${type} ${shortJobId(id)}`;
  for (let wait = SHORTEST_LOOK; !signal.aborted; wait = Math.min(LONGEST_LOOK, wait * 2)) {
    await pause(wait, clock, signal);
    const answer = await unlessStopped(ask({ op: 'get', id }), signal);
    if (!answer.ok) {
      // It was removed, by a person or for its age: then it is not known to have failed.
      if (answer.code === 'unknown-job') return { ok: true, reason: `${name} was removed` };
      continue;
    }
    const { state, failure } = answer.value as JobView;
    if (state === 'completed') return { ok: true, reason: `${name} is done` };
    if (state === 'cancelled') return { ok: false, reason: `${name} was cancelled` };
    if (state === 'failed')
      return { ok: false, reason: `${name} failed: ${failure?.message ?? 'no reason told'}` };
  }
  return { ok: true, reason: `${name} is in the queue`, isLeft: true };
}

function describeAdded(type: string, { job, duplicate }: JobAdded): string {
  return duplicate
    ? `${type} ${shortJobId(job.id)} was added already`
    : `added ${type} ${shortJobId(job.id)}`;
}

/** A slow answer keeps no stop waiting. Nothing of it stays with the signal, which a job of days asks ten thousand times. */
function unlessStopped(answer: Promise<JobsAnswer>, signal: AbortSignal): Promise<JobsAnswer> {
  return new Promise((resolve) => {
    const stop = (): void => resolve(STOPPING);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    void answer.then((told) => {
      signal.removeEventListener('abort', stop);
      resolve(told);
    });
  });
}

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      disarm();
      resolve();
    };
    const disarm = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}
