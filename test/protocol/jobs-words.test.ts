import { expect, test } from 'vitest';
import type { JobsSummary, StoreStatus } from '../../src/protocol/jobs.ts';
import { describeCounts, describeStore, judgeJobs } from '../../src/protocol/jobs-words.ts';

const COUNTS = { created: 10, retry: 2, active: 3, completed: 99, cancelled: 1, failed: 0 };

function summary(store: Partial<StoreStatus>, changes: Partial<JobsSummary> = {}): JobsSummary {
  return {
    counts: COUNTS,
    paused: false,
    store: { kind: 'postgres', durability: 'durable', since: '2026-01-01T10:42:00.000Z', ...store },
    ...changes,
  };
}

test.each([
  [{}, 'postgres', 'pass'],
  [{ kind: 'memory', durability: 'journaled' }, 'postgres', 'warn'],
  [{ kind: 'memory', durability: 'volatile' }, 'redis', 'warn'],
  [{ kind: 'memory', durability: 'journaled' }, 'memory', 'pass'],
  [{ kind: 'memory', durability: 'volatile' }, 'memory', 'warn'],
] as const)('%o where the plan asks for %s: %s', (store, asked, verdict) => {
  expect(judgeJobs(summary(store), asked).verdict).toBe(verdict);
});

test('counts what waits, runs and has failed', () => {
  expect(describeCounts(summary({}))).toBe('12 waiting, 3 active');
  const failed = summary({}, { counts: { ...COUNTS, failed: 7 }, paused: true });
  expect(describeCounts(failed)).toBe('12 waiting, 3 active, 7 failed, paused');
});

test('says where they are, since when and why', () => {
  expect(describeStore(summary({}).store)).toBe('kept in PostgreSQL since 10:42 UTC');
  const away = {
    kind: 'memory',
    durability: 'journaled',
    pendingReturn: 5,
    reason: 'cannot connect',
  } as const;
  expect(describeStore(summary(away).store)).toBe(
    'kept in memory and a journal since 10:42 UTC (5 to be handed back): cannot connect',
  );
});
