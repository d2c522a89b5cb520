import { describe, expect, test } from 'vitest';
import { meaningOf } from '../../../src/supervisor/services/restart-policy.ts';
import { aService, aTask, needs } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const exitCodes = { success: [3, 143], fatal: [78] };
const onFailure = { ...aService('x').restart, policy: 'on-failure' as const };

describe('what an exit code means', () => {
  test.each([
    [0, null, 'finished'],
    [1, null, 'crashed'],
    [3, null, 'finished'],
    [78, null, 'fatal'],
    [143, null, 'finished'],
    [null, 'SIGTERM', 'finished'],
    [null, 'SIGKILL', 'crashed'],
    [null, null, 'crashed'],
  ] as const)('code %s, signal %s: %s', (code, signal, meaning) => {
    expect(meaningOf({ code, signal }, exitCodes)).toBe(meaning);
  });

  test('without words about it everything but 0 is a crash', () => {
    expect(meaningOf({ code: 0, signal: null }, undefined)).toBe('finished');
    expect(meaningOf({ code: 78, signal: null }, undefined)).toBe('crashed');
  });
});

describe('fatal exit codes', () => {
  test('law 13: a fatal exit code is never tried again, and its reason says why', () => {
    const { services, launcher, clock, words, reason, told } = servicesWithFakes([
      aService('app', { exitCodes }),
    ]);
    services.startAll();
    launcher.last('app').exit(78);
    expect(words()).toEqual({ app: 'failed' });
    expect(reason('app')).toBe('ended (exit 78), which its plan calls fatal');
    expect(told).toContain('gave up app: ended (exit 78), which its plan calls fatal');
    clock.advance(86_400_000);
    expect(launcher.launches).toEqual(['app@1']);
    expect(clock.armed).toBe(0);
  });

  test('law 13: a fatal exit after ordinary crashes names the fatal one', () => {
    const { services, launcher, clock, reason } = servicesWithFakes([aService('app', { exitCodes })]);
    services.startAll();
    launcher.last('app').exit(1);
    clock.advance(500);
    launcher.last('app').exit(78);
    expect(reason('app')).toBe('ended (exit 78), which its plan calls fatal');
  });

  test('a person can start it again all the same', () => {
    const { services, launcher, words } = servicesWithFakes([aService('app', { exitCodes })]);
    services.startAll();
    launcher.last('app').exit(78);
    services.start(['app']);
    expect(words()).toEqual({ app: 'ready' });
  });

  test('a critical service ends the container with it, a critical task its own way', () => {
    const service = servicesWithFakes([aService('app', { exitCodes, critical: true })]);
    service.services.startAll();
    service.launcher.last('app').exit(78);
    expect(service.told.at(-1)).toBe('ended criticalGaveUp app: ended (exit 78), which its plan calls fatal');
    const task = servicesWithFakes([aTask('job', { exitCodes, critical: true, retries: 9 })]);
    task.services.startAll();
    task.launcher.last('job').exit(78);
    expect(task.told.at(-1)).toBe('ended taskFailed job: ended (exit 78), which its plan calls fatal');
  });

  test('during a stop of ours the code says nothing: the end was asked for', () => {
    const { services, launcher, words, told } = servicesWithFakes([aService('app', { exitCodes })]);
    launcher.obey('app', () => false);
    services.startAll();
    services.restart(['app']);
    launcher.last('app').exit(78);
    expect(words()).toEqual({ app: 'ready' });
    expect(told.some((line) => line.startsWith('gave up'))).toBe(false);
  });
});

describe('success exit codes', () => {
  test('are an end that is well: nothing is counted, on-failure leaves it at that', () => {
    const { services, launcher, clock, words, reason } = servicesWithFakes([
      aService('app', { exitCodes, restart: onFailure }),
      aTask('job', { exitCodes }),
    ]);
    services.startAll();
    launcher.last('app').exit(3);
    launcher.last('job').exit(3);
    expect(words()).toEqual({ app: 'done', job: 'done' });
    expect(reason('app')).toBe('ended with exit 3, and its restart policy is on-failure');
    expect(services.status('app')?.restarts).toBe(0);
    expect(clock.armed).toBe(0);
  });

  test.each([
    [143, null],
    [130, null],
    [null, 'SIGTERM'],
    [1, null],
  ] as const)('after our own stop every end is clean: %s %s', async (code, signal) => {
    const { services, launcher, words } = servicesWithFakes([aService('app'), aService('other')]);
    launcher.obey('app', () => false);
    launcher.obey('other', () => false);
    services.startAll();
    services.stop(['app']);
    launcher.last('app').exit(code, signal);
    expect(words().app).toBe('stopped');
    expect(services.status('app')?.restarts).toBe(0);
    const over = services.shutdown();
    launcher.last('other').exit(code, signal);
    await expect(over).resolves.toEqual({ unclean: [] });
  });
});

describe('restart: on-failure:COUNT', () => {
  const counted = {
    ...onFailure,
    stableAfter: 10_000,
    giveUp: { limit: 3, window: Number.POSITIVE_INFINITY },
  };

  test('is exact: so many retries, however slowly they come, and no slow retry after them', () => {
    const { services, launcher, clock, words, reason } = servicesWithFakes([
      aService('app', { restart: counted, ready: { kind: 'fd', fd: 3 } }),
    ]);
    services.startAll();
    for (let life = 0; life < 4; life += 1) {
      clock.advance(3_600_000);
      launcher.last('app').exit(1);
    }
    expect(words()).toEqual({ app: 'failed' });
    expect(reason('app')).toMatch(/^crashed 4 times in .* \(exit 1\)$/);
    expect(launcher.launches).toHaveLength(4);
    clock.advance(86_400_000);
    expect(launcher.launches).toHaveLength(4);
  });

  test('counts anew after a stable spell', () => {
    const { services, launcher, clock, words } = servicesWithFakes([aService('app', { restart: counted })]);
    services.startAll();
    for (let life = 0; life < 20; life += 1) {
      clock.advance(10_000);
      launcher.last('app').exit(1);
      clock.advance(60_000);
    }
    expect(words()).toEqual({ app: 'ready' });
  });

  test('on-failure:0 is never again, and leaves dependents waiting with the reason', () => {
    const { services, launcher, words, reason } = servicesWithFakes([
      aService('db', { restart: { ...counted, giveUp: { limit: 0, window: Number.POSITIVE_INFINITY } } }),
      aService('app', { dependsOn: needs('db'), ready: { kind: 'fd', fd: 3 } }),
    ]);
    services.startAll();
    launcher.last('app').exit(1);
    launcher.last('db').exit(2);
    expect(words()).toMatchObject({ db: 'failed' });
    services.restart(['app']);
    expect(reason('app')).toBe('waiting for db, which failed: crashed (exit 2)');
  });
});
