import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CheckPlan } from '../../../src/config/plan-runs.ts';
import { Check } from '../../../src/supervisor/health/check.ts';
import type { Busy } from '../../../src/supervisor/health/ports.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';

const PLAN: CheckPlan = {
  probe: { kind: 'postgres', host: '/run/pg', port: 5432 },
  interval: 10_000,
  timeout: 5000,
  retries: 3,
  startPeriod: 0,
  startInterval: 50,
};
const RECOVERS: Busy = { busy: 'recovering' };

let clock: ManualClock;
let answer: string | Busy | undefined;
let told: string[];
let check: Check;
beforeEach(() => {
  clock = manualClock();
  answer = undefined;
  told = [];
  const tell = (what: string): void => {
    if (told.at(-1) !== what) told.push(what);
  };
  check = new Check(
    PLAN,
    clock,
    async () => answer,
    {
      passed: () => tell('passed'),
      failed: (error, wentDown) => tell(`${wentDown ? 'DOWN' : 'failed'}: ${error}`),
      busy: (what) => tell(`BUSY: ${what}`),
    },
    () => 0,
  );
});
afterEach(() => check.stop());

async function pass(ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 50) {
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('case 17: a recovery at the start may last for hours: nothing counts and nothing goes down', async () => {
  answer = RECOVERS;
  await pass(600_000);
  expect(told).toEqual(['failed: recovering']);
  expect(check.status()).toMatchObject({ up: undefined, failures: 0, lastError: 'recovering' });
  answer = undefined;
  await pass(100);
  expect(told.at(-1)).toBe('passed');
});

test('case 16: a recovery in between is told as work, never as down, and its end is seen at once', async () => {
  await pass(100);
  answer = RECOVERS;
  await pass(600_000);
  expect(told).toEqual(['passed', 'BUSY: recovering']);
  expect(check.status().up).toBe(false);
  answer = undefined;
  await pass(100);
  expect(told.at(-1)).toBe('passed');
});

test('what fails after its recovery goes down as anything else does', async () => {
  await pass(100);
  answer = RECOVERS;
  await pass(20_000);
  answer = 'nobody listens there';
  await pass(1000);
  expect(told.slice(-2)).toEqual(['failed: nobody listens there', 'DOWN: nobody listens there']);
});
