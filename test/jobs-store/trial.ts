/** What the conformance suite needs of a store under trial. */
import { makeJobId } from '../../src/jobs/job-id.ts';
import type { Claim, HandingOver, JobStore, NewJob, StoreLimits } from '../../src/jobs/store.ts';

export interface StoreTrial {
  readonly name: string;
  /** Empty, and open with the types below. Several at once share their jobs where `shared`. */
  open(limits?: Partial<StoreLimits>): Promise<JobStore & Partial<HandingOver>>;
  /** Whether a second store sees the jobs of the first. */
  readonly shared: boolean;
  /** Between two tests: closes all that was opened and empties it. */
  clear(): Promise<void>;
}

export const TYPES = ['scrape', 'backup', 'mail'] as const;

export const LIMITS: StoreLimits = {
  leaseMs: 30_000,
  maxWaiting: 100_000,
  keep: { completedMs: 7 * 86_400_000, failedMs: 30 * 86_400_000, most: 10_000 },
};

export function newJob(more: Partial<NewJob> = {}): NewJob {
  return { id: makeJobId('scrape'), type: 'scrape', data: { n: 1 }, priority: 0, maxAttempts: 3, ...more };
}

/** The next job of any type, or undefined. */
export async function claimOne(store: JobStore, worker = 'w1'): Promise<Claim | undefined> {
  return (
    await store.claim(
      TYPES.map((type) => ({ type, count: 1 })),
      worker,
      1,
    )
  )[0];
}

/** The next job; there must be one. */
export async function mustClaim(store: JobStore, worker = 'w1'): Promise<Claim> {
  const claim = await claimOne(store, worker);
  if (!claim) throw new Error('nothing could be claimed');
  return claim;
}

/** Asks again until there is an answer; the test's own time limit is the only one. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
