/** What the worker will not do, said to whoever asked. */
import type { JobsErrorCode, JobsRefusal } from '../../protocol/jobs.ts';
import { StoreRefusal } from '../store.ts';

type More = Pick<JobsRefusal, 'remedy' | 'jobId' | 'retryAfter'>;

export function refuse(code: JobsErrorCode, message: string, more: More = {}): JobsRefusal {
  return { ok: false, code, message, ...more };
}

/** What a store said no to, or that it said nothing. */
export function refusalOf(error: unknown): JobsRefusal {
  if (!(error instanceof StoreRefusal)) {
    const why = error instanceof Error ? error.message : String(error);
    return refuse('worker-away', `the store of jobs does not answer: ${why}`, {
      remedy: 'ask again, with the same idempotency key: whether anything was done is not known',
      retryAfter: 2,
    });
  }
  if (error.code === 'bad-cursor') return refuse('bad-request', error.message);
  if (error.code === 'full') return refuse('full', error.message, { retryAfter: 10 });
  return refuse('singleton', error.message, error.jobId === undefined ? {} : { jobId: error.jobId });
}

export function unknownJob(id: string): JobsRefusal {
  return refuse('unknown-job', `there is no job ${id}`);
}
