import { expect, test } from 'vitest';
import { stubborn } from '../../support/fake-launcher.ts';
import { aCheck, aService, aTask } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();

test('a run that was never asked for says so', () => {
  const { services } = servicesWithFakes([aService('app', { critical: true })]);
  expect(services.status('app')).toEqual({
    name: 'app',
    kind: 'service',
    status: 'stopped',
    reason: 'not started',
    since: at(0),
    generation: 0,
    pid: undefined,
    critical: true,
    restarts: 0,
    nextStart: undefined,
    startedIn: undefined,
    lastExit: undefined,
    lastLine: undefined,
    check: undefined,
    progress: undefined,
  });
  expect(services.status('other')).toBeUndefined();
});

test('a backoff shows when the next start is due, the exit before it, and the last words', () => {
  const check = { up: false, failures: 3, threshold: 3, lastError: 'refused', durationMs: 2, at: at(0) };
  const { services, launcher, clock } = servicesWithFakes([aService('app', { healthcheck: aCheck })], {
    lastLine: () => 'Error: no such table',
    checkOf: () => check,
  });
  services.startAll();
  clock.advance(1200);
  services.checkPassed('app', 1);
  expect(services.status('app')).toMatchObject({ status: 'ready', startedIn: 1200, pid: 1000, check });
  expect(services.status('app')?.lastLine).toBeUndefined();
  clock.advance(800);
  launcher.last('app').exit(1);
  clock.advance(100);
  expect(services.status('app')).toMatchObject({
    status: 'backoff',
    reason: 'crashed (exit 1), next start in 1 s',
    since: at(2000),
    pid: undefined,
    restarts: 1,
    nextStart: at(2500),
    lastExit: { code: 1, signal: null, at: at(2000) },
    lastLine: 'Error: no such table',
  });
});

test('crashes in a row are told with their number and span, and the countdown runs', () => {
  const restart = { ...aService('x').restart, initialDelay: 60_000, maxDelay: 90_000, giveUp: undefined };
  const { services, launcher, clock, reason } = servicesWithFakes([aService('app', { restart })]);
  services.startAll();
  launcher.last('app').exit(null, 'SIGKILL');
  clock.advance(60_000);
  launcher.last('app').exit(1);
  expect(reason('app')).toBe('crashed 2 times in 1 min (exit 1), next start in 1 min 30 s');
  clock.advance(82_000);
  expect(reason('app')).toBe('crashed 2 times in 1 min (exit 1), next start in 8 s');
});

test('a stop says who wanted it, from its begin to its end', () => {
  const { services, launcher, clock, reason } = servicesWithFakes([aService('app')]);
  launcher.obey('app', stubborn);
  services.startAll();
  services.stop(['app']);
  expect(services.status('app')).toMatchObject({
    status: 'stopping',
    reason: 'stopped by request',
    pid: 1000,
  });
  clock.advance(4000);
  expect(services.status('app')).toMatchObject({
    status: 'stopped',
    reason: 'stopped by request',
    pid: undefined,
  });
  services.start(['app']);
  services.restart(['app']);
  expect(reason('app')).toBe('restarted by request');
  void services.shutdown();
  clock.advance(9000);
  services.stop(['app']);
});

test('what a crashed leader left behind is ended, and that is said', () => {
  const { services, launcher } = servicesWithFakes([aService('app')]);
  services.startAll();
  launcher.last('app').survivors = stubborn;
  launcher.last('app').exit(7);
  expect(services.status('app')).toMatchObject({
    status: 'backoff',
    reason: 'crashed (exit 7), ending what it left behind',
    pid: undefined,
  });
});

test('a task that is done tells how long it took', () => {
  const { services, launcher, clock } = servicesWithFakes([aTask('setup')]);
  services.startAll();
  clock.advance(340);
  launcher.last('setup').exit(0);
  clock.advance(5000);
  expect(services.status('setup')).toMatchObject({ status: 'done', reason: '', startedIn: 340, restarts: 0 });
});
