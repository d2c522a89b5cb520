import { afterEach, expect, test, vi } from 'vitest';
import { readLoopLag, systemClock } from '../../src/system/clock.ts';

const DAY = 24 * 3600 * 1000;

afterEach(() => {
  vi.useRealTimers();
});

test('a wait beyond the longest timer of Node ends when it should', () => {
  vi.useFakeTimers();
  const run = vi.fn();
  systemClock.after(60 * DAY, run);
  vi.advanceTimersByTime(59 * DAY);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DAY);
  expect(run).toHaveBeenCalledOnce();
});

test('a wait that was disarmed never ends, also after its first part', () => {
  vi.useFakeTimers();
  const run = vi.fn();
  const short = systemClock.after(10, run);
  const long = systemClock.after(60 * DAY, run);
  short();
  vi.advanceTimersByTime(30 * DAY);
  long();
  vi.advanceTimersByTime(60 * DAY);
  expect(run).not.toHaveBeenCalled();
});

test('durations do not follow the wall clock', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const before = systemClock.mono();
  vi.setSystemTime(0);
  expect(systemClock.now()).toBe(0);
  expect(systemClock.mono()).toBeGreaterThanOrEqual(before);
});

test('the lag of the loop is known from the timers it has kept waiting, without one of its own', async () => {
  const rung = new Promise<void>((resolve) => systemClock.after(1, resolve));
  const start = performance.now();
  while (performance.now() - start < 60) {
    // Nobody else has a turn.
  }
  await rung;
  expect(readLoopLag()).toBeGreaterThanOrEqual(50);
});
