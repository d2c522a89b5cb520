/** What each event changes in a job: the rules of the queue, without the queue. */
import type { AttemptView, JobState } from '../../protocol/jobs.ts';
import type { JobFailure } from '../store.ts';
import type { Change, MemoryJob } from './memory-job.ts';
import { LEASE_LOST, MOST_HISTORY } from './words.ts';

type NextState = Change & { readonly state: JobState };

export function finish(state: 'completed' | 'cancelled' | 'failed', now: number): NextState {
  return { state, finishedAt: now, startAfter: undefined };
}

/** Who was asked to end and ended is cancelled, however it ended. */
export function failAttempt(
  job: MemoryJob,
  failure: JobFailure,
  retryAt: Date | undefined,
  now: number,
): Change {
  if (job.cancelRequested) return { ...finish('cancelled', now), failure };
  if (!retryAt) return { ...finish('failed', now), failure };
  return { state: 'retry', startAfter: retryAt.getTime(), failure };
}

export function releaseAttempt(job: MemoryJob, now: number): Change {
  if (job.cancelRequested) return finish('cancelled', now);
  const attempts = job.attempts - 1;
  return attempts === 0
    ? { state: 'created', attempts, startedAt: undefined, worker: undefined }
    : { state: 'retry', attempts };
}

export function expireLease(job: MemoryJob, now: number): NextState {
  if (job.cancelRequested) return { ...finish('cancelled', now), failure: LEASE_LOST };
  if (job.attempts < job.maxAttempts) return { state: 'retry', failure: LEASE_LOST };
  return { ...finish('failed', now), failure: LEASE_LOST };
}

/** As if it had never run, but for what is remembered of it. */
export function beginAnew(job: MemoryJob): Change {
  return {
    state: 'created',
    attempts: 0,
    startedAt: undefined,
    finishedAt: undefined,
    startAfter: undefined,
    result: undefined,
    failure: undefined,
    progress: undefined,
    worker: undefined,
    round: (job.round ?? 0) + 1,
  };
}

/** The end of its attempt, and the word on it in its history. */
export function remember(job: MemoryJob, change: Change, now: number): Change {
  const { attempts: attempt, startedAt = now, worker, history = [] } = job;
  const failure = change.state === 'completed' ? undefined : change.failure;
  const ended: AttemptView = {
    attempt,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(now).toISOString(),
    end: endOf(change),
    ...(failure === undefined ? {} : { failure }),
    ...(worker === undefined ? {} : { worker }),
  };
  return { ...change, history: [...history, ended].slice(-MOST_HISTORY) };
}

function endOf({ state, attempts }: Change): AttemptView['end'] {
  if (state === 'completed' || state === 'cancelled') return state;
  return attempts === undefined ? 'failed' : 'released';
}
