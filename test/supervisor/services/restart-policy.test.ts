import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RestartPlan } from '../../../src/config/plan-runs.ts';
import {
  allowsRestart,
  delayBefore,
  hasGivenUp,
  noFailures,
  noteFailure,
} from '../../../src/supervisor/services/restart-policy.ts';

const plan: RestartPlan = {
  policy: 'always',
  initialDelay: 500,
  maxDelay: 30_000,
  stableAfter: 60_000,
  giveUp: { limit: 3, window: 120_000 },
};

test('law 9: waits grow by two from the initial delay to the cap', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 60].map((attempt) => delayBefore(attempt, plan, 0.5));
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('chance moves a wait by at most a tenth, and never over the cap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempt, chance) => {
        const exact = Math.min(30_000, 500 * 2 ** (attempt - 1));
        const wait = delayBefore(attempt, plan, chance);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(exact * 0.9));
        expect(wait).toBeLessThanOrEqual(Math.min(30_000, Math.ceil(exact * 1.1)));
      },
    ),
  );
});

test('the first failure after a stable spell costs no wait, the second does', () => {
  const first = noteFailure({ times: [], attempt: 4 }, 100_000, 60_000, plan);
  expect(delayBefore(first.attempt, plan, 0.5)).toBe(0);
  const second = noteFailure(first, 101_000, 900, plan);
  expect(delayBefore(second.attempt, plan, 0.5)).toBe(500);
});

test('a run that fails before it was ever stable waits from its first failure on', () => {
  expect(delayBefore(noteFailure(noFailures, 0, undefined, plan).attempt, plan, 0.5)).toBe(500);
  expect(delayBefore(noteFailure(noFailures, 0, 59_999, plan).attempt, plan, 0.5)).toBe(500);
});

test('more than the limit inside the window is giving up, the limit itself is not', () => {
  const fail = (...times: number[]) =>
    times.reduce((failures, at) => noteFailure(failures, at, undefined, plan), noFailures);
  expect(hasGivenUp(fail(0, 1, 2), plan, 2)).toBe(false);
  expect(hasGivenUp(fail(0, 1, 2, 3), plan, 3)).toBe(true);
  expect(hasGivenUp(fail(0, 1, 2, 120_001), plan, 120_001)).toBe(false);
});

test('without a limit nothing gives up, and what is remembered stays bounded', () => {
  const endless = { ...plan, giveUp: undefined };
  let failures = noFailures;
  for (let at = 0; at < 5000; at += 1) failures = noteFailure(failures, at, undefined, endless);
  expect(hasGivenUp(failures, endless, 5000)).toBe(false);
  expect(failures.times.length).toBeLessThanOrEqual(1000);
  expect(failures.attempt).toBe(5000);
});

test('policies: always restarts after anything, on-failure after failures, no never', () => {
  expect(allowsRestart(plan, true)).toBe(true);
  expect(allowsRestart({ ...plan, policy: 'on-failure' }, true)).toBe(false);
  expect(allowsRestart({ ...plan, policy: 'on-failure' }, false)).toBe(true);
  expect(allowsRestart({ ...plan, policy: 'no' }, false)).toBe(false);
});
