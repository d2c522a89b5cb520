/** How long a job waits between two attempts. */
import type { JobTypePlan } from '../../config/plan-jobs.ts';

/**
 * Milliseconds before the attempt after `failed` ones: `retryDelay`, doubled each time, and up to half as much again by
 * chance, so that jobs which failed together do not come back together. Never under `retryDelay` nor over
 * `retryDelayMax`; at the cap chance goes down from it. Where the two contradict one another the cap wins.
 * @param random From 0 to below 1.
 */
export function retryDelay(
  { retryDelay: first, retryDelayMax: cap }: Pick<JobTypePlan, 'retryDelay' | 'retryDelayMax'>,
  failed: number,
  random: number,
): number {
  // Beyond 2^30 it is the cap in any case.
  const grown = first * 2 ** Math.min(30, Math.max(0, failed - 1));
  const from = Math.max(first, Math.min(grown, (cap * 2) / 3));
  const to = Math.min(cap, grown * 1.5);
  return Math.round(to <= from ? Math.min(from, cap) : from + random * (to - from));
}
