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

test('a Ctrl-C that arrives twice in one moment is one', () => {
  const told: string[] = [];
  const stop = onSignals({
    terminate: (signal, times) => told.push(`${signal} ${times}`),
    reload: () => undefined,
    reopen: () => undefined,
  });
  process.emit('SIGINT', 'SIGINT');
  process.emit('SIGINT', 'SIGINT');
  stop();
  expect(told).toEqual(['SIGINT 1']);
});
