/** The queue in figures: for people who ask, and for PID 1, which shows them in status and health. */
import type { JobsPlan } from '../../config/plan-jobs.ts';
import type { JobState, JobsStatus, JobsSummary, JobTypeStatus } from '../../protocol/jobs.ts';
import type { Fallback } from '../fallback.ts';
import type { JobStore, Paused, TypeCounts } from '../store.ts';
import type { Runs } from './runs.ts';
import type { Tallies } from './tallies.ts';

export interface DescribeOptions {
  readonly plan: JobsPlan;
  readonly fallback: Fallback;
  readonly runs: Runs;
  readonly tallies: Pick<Tallies, 'of'>;
  /** Milliseconds since the epoch. */
  now(): number;
}

const NONE: Readonly<Record<JobState, number>> = {
  created: 0,
  retry: 0,
  active: 0,
  completed: 0,
  cancelled: 0,
  failed: 0,
};

/** Asks this store. @throws StoreAway */
export async function describeQueue(store: JobStore, options: DescribeOptions): Promise<JobsStatus> {
  const { fallback } = options;
  // One after the other, here and below: a session of the database for each would be kept for nothing else.
  const summary = await read(store, options);
  const workers = await fallback.ask(store, (asked) => asked.workers());
  return {
    ...summary,
    workers: workers.map(({ id, host, active, seenAt }) => ({ id, host, active, seenAt })),
  };
}

/** @throws StoreAway */
export async function summarizeQueue(store: JobStore, options: DescribeOptions): Promise<JobsSummary> {
  const { counts, oldestQueuedAgeMs, store: kept, paused } = await read(store, options);
  return { counts, store: kept, paused, ...(oldestQueuedAgeMs === undefined ? {} : { oldestQueuedAgeMs }) };
}

async function read(store: JobStore, options: DescribeOptions): Promise<Omit<JobsStatus, 'workers'>> {
  const { fallback } = options;
  const counts = await fallback.ask(store, (asked) => asked.counts());
  const paused = await fallback.ask(store, (asked) => asked.paused());
  if (store === fallback.durable) fallback.sawPaused(paused);
  const byType = typesOf(counts, paused, options);
  const ages = Object.values(byType).flatMap(({ oldestQueuedAgeMs: age }) =>
    age === undefined ? [] : [age],
  );
  return {
    counts: Object.values(byType).reduce((sum, { counts: own }) => add(sum, own), NONE),
    byType,
    ...(ages.length === 0 ? {} : { oldestQueuedAgeMs: Math.max(...ages) }),
    store: fallback.status(await inMemory(fallback)),
    paused: paused.all,
  };
}

function typesOf(
  counts: Readonly<Record<string, TypeCounts>>,
  paused: Paused,
  { plan, runs, tallies, now }: DescribeOptions,
): Record<string, JobTypeStatus> {
  const active = runs.active;
  const concurrency = new Map(plan.types.map((type) => [type.name, type.concurrency]));
  // Also those that stood in an earlier plan, as long as there is a job of them.
  const names = new Set([...concurrency.keys(), ...Object.keys(counts)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const own = counts[name];
      const oldest = own?.oldestQueuedAt;
      const tally = tallies.of(name);
      return [
        name,
        {
          counts: own?.counts ?? NONE,
          active: active.get(name) ?? 0,
          concurrency: concurrency.get(name) ?? 0,
          paused: paused.all || paused.types.includes(name),
          ...(oldest === undefined ? {} : { oldestQueuedAgeMs: Math.max(0, now() - Date.parse(oldest)) }),
          ...(tally === undefined ? {} : { tally }),
        },
      ];
    }),
  );
}

/** Jobs that wait in memory for the durable store. */
async function inMemory(fallback: Fallback): Promise<number> {
  if (!fallback.durable) return 0;
  const counts = await fallback.memory.counts();
  return Object.values(counts).reduce(
    (sum, { counts: { created, retry, active } }) => sum + created + retry + active,
    0,
  );
}

function add(
  left: Readonly<Record<JobState, number>>,
  right: Readonly<Record<JobState, number>>,
): Record<JobState, number> {
  return {
    created: left.created + right.created,
    retry: left.retry + right.retry,
    active: left.active + right.active,
    completed: left.completed + right.completed,
    cancelled: left.cancelled + right.cancelled,
    failed: left.failed + right.failed,
  };
}
