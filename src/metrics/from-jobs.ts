/** What the worker tells of the queue, as metrics. Pure. */
import { JOB_BUCKETS, type JobsStatus } from '../protocol/jobs.ts';
import type { Samples } from './samples.ts';

export function addJobs(to: Samples, { byType, store }: JobsStatus): void {
  to.add('bulkhead_jobs_store_durable', store.durability === 'durable');
  for (const [type, status] of Object.entries(byType)) {
    const queue = { queue: type };
    for (const [state, count] of Object.entries(status.counts))
      to.add('bulkhead_jobs', count, { ...queue, state });
    to.add('bulkhead_jobs_oldest_queued_age_seconds', (status.oldestQueuedAgeMs ?? 0) / 1000, queue);
    to.add('bulkhead_jobs_paused', status.paused, queue);
    to.add('bulkhead_jobs_concurrency', status.concurrency, queue);
    const { tally } = status;
    if (!tally) continue;
    for (const [result, count] of Object.entries(tally.finished)) {
      to.add('bulkhead_jobs_finished_total', count, { type, result });
    }
    for (const [reason, count] of Object.entries(tally.failed)) {
      to.add('bulkhead_job_attempts_failed_total', count, { type, reason });
    }
    to.addHistogram('bulkhead_job_duration_seconds', JOB_BUCKETS, tally.durations, tally.seconds, { type });
    for (const [field, sum] of Object.entries(tally.sums))
      to.add('bulkhead_job_result_total', sum, { type, field });
  }
}
