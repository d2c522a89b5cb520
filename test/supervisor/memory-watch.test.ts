import { expect, test } from 'vitest';
import { watchMemory } from '../../src/supervisor/memory-watch.ts';
import { manualClock } from '../support/clock.ts';

test('where no limit is written nothing is looked at', () => {
  const clock = manualClock();
  watchMemory(
    undefined,
    () => expect.unreachable(),
    clock,
    () => undefined,
  );
  expect(clock.armed).toBe(0);
});

test('what is too much is told once, and nothing is armed after that', () => {
  const clock = manualClock();
  const told: number[] = [];
  let used = 100;
  watchMemory(
    100,
    () => used,
    clock,
    (bytes) => told.push(bytes),
  );
  clock.advance(60_000);
  expect([told, clock.armed]).toEqual([[], 1]);
  used = 101;
  clock.advance(60_000);
  expect([told, clock.armed]).toEqual([[101], 0]);
});

test('it ends with the service', () => {
  const clock = manualClock();
  const stop = watchMemory(
    1,
    () => 2,
    clock,
    () => expect.unreachable(),
  );
  stop();
  clock.advance(60_000);
  expect(clock.armed).toBe(0);
});
