import { expect, test } from 'vitest';
import { onSignals } from '../../src/system/signals.ts';

test('each signal is told for what it means, and a second wish to stop is counted', () => {
  const told: string[] = [];
  const before = process.eventNames().length;
  const stop = onSignals({
    terminate: (signal, times) => told.push(`${signal} ${times}`),
    reload: () => told.push('reload'),
    reopen: () => told.push('reopen'),
  });
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGUSR2', 'SIGINT'] as const) process.emit(signal, signal);
  expect(told).toEqual(['reload', 'SIGTERM 1', 'reopen', 'SIGINT 2']);
  expect(process.listenerCount('SIGUSR1')).toBe(0);
  stop();
  expect(process.eventNames()).toHaveLength(before);
});
