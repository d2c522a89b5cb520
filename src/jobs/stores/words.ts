/** What the stores say alike. */
import type { JobState } from '../../protocol/jobs.ts';
import { type JobFailure, StoreRefusal } from '../store.ts';

/** Stands for all types among those that are paused: no type has an empty name. */
export const EVERYTHING = '';

/** A worker that has not been heard of for so long is no longer listed. */
export const WORKER_SILENT_MS = 60_000;

/** Ended attempts that a job remembers. */
export const MOST_HISTORY = 20;

export const LEASE_LOST: JobFailure = { reason: 'lease', message: 'its worker was not heard of in time' };

/** `holder`: the id of the job that is there, where it is not gone by now. */
export function singletonTaken(type: string, holder: string | undefined): StoreRefusal {
  const other = holder === undefined ? 'another' : holder;
  return new StoreRefusal('singleton', `cannot add the job: ${type} ${other} waits or runs already`, holder);
}

/** Why a job is cancelled that another store handed over. */
export function notAdopted(type: string): JobFailure {
  return { reason: 'dependency', message: `another ${type} with its key waited or ran already` };
}

export function emptyCounts(): Record<JobState, number> {
  return { created: 0, retry: 0, active: 0, completed: 0, cancelled: 0, failed: 0 };
}
