/** What the stores say alike. */
import type { JobState } from '../../protocol/jobs.ts';
import { type JobFailure, StoreRefusal } from '../store.ts';

/** Stands for all types among those that are paused: no type has an empty name. */
export const EVERYTHING = '';

/** A worker that has not been heard of for so long is no longer listed. */
export const WORKER_SILENT_MS = 60_000;

export const LEASE_LOST: JobFailure = { reason: 'lease', message: 'its worker was not heard of in time' };

export function singletonTaken(type: string, holder: string): StoreRefusal {
  return new StoreRefusal('singleton', `cannot add the job: ${type} ${holder} waits or runs already`, holder);
}

export function emptyCounts(): Record<JobState, number> {
  return { created: 0, retry: 0, active: 0, completed: 0, cancelled: 0, failed: 0 };
}
