import { describe, expect, test } from 'vitest';
import { aService, aTask, needs } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const twice = { ...aService('x').restart, giveUp: { limit: 1, window: 120_000 } };
const notReady = { ready: { kind: 'fd', fd: 3 } } as const;

/** A database that never comes up, and who waits for it. */
function doomed(changes: Parameters<typeof aService>[1]) {
  const world = servicesWithFakes([
    aService('cache'),
    aService('db', { restart: twice, ...notReady }),
    aService('api', { dependsOn: needs('db') }),
    aService('app', { dependsOn: needs('api'), ...changes }),
  ]);
  world.services.startAll();
  world.launcher.last('db').exit(1);
  world.clock.advance(500);
  world.launcher.last('db').exit(1);
  return world;
}

describe('a service that gives up', () => {
  test('law 12: reaches those who wait with its reason, and a critical one among them ends the container', async () => {
    const { services, words, reason, told, launcher } = doomed({ critical: true });
    expect(words()).toEqual({ cache: 'ready', db: 'failed', api: 'waiting', app: 'waiting' });
    expect(reason('api')).toBe('waiting for db, which failed: crashed 2 times in 500 ms (exit 1)');
    expect(reason('app')).toBe('waiting for api to be healthy');
    expect(told.at(-1)).toBe('ended criticalGaveUp app: waiting for api to be healthy');
    await expect(services.shutdown()).resolves.toEqual({ unclean: [] });
    expect(launcher.living()).toEqual([]);
    expect(launcher.launches).toEqual(['cache@1', 'db@1', 'db@2']);
  });

  test('law 12: ends nothing where all who wait are optional, and they start when the slow retry brings it back', () => {
    const { launcher, clock, words, told } = doomed({});
    expect(told.some((line) => line.startsWith('ended'))).toBe(false);
    clock.advance(600_000);
    launcher.last('db').ready();
    expect(words()).toEqual({ cache: 'ready', db: 'ready', api: 'ready', app: 'ready' });
  });

  test('one that is never to be restarted is not tried again later either', () => {
    const { services, launcher, clock, words } = servicesWithFakes([
      aService('db', { restart: { ...twice, policy: 'no' } }),
    ]);
    services.startAll();
    launcher.last('db').exit(1);
    expect(words()).toEqual({ db: 'failed' });
    clock.advance(3_600_000);
    expect(launcher.launches).toEqual(['db@1']);
  });

  test('law 12: leaves those up who had it before', () => {
    const { services, launcher, words, told } = servicesWithFakes([
      aService('db', { restart: { ...twice, giveUp: { limit: 0, window: 1 } } }),
      aService('app', { dependsOn: needs('db'), critical: true }),
    ]);
    services.startAll();
    launcher.last('db').exit(1);
    expect(words()).toEqual({ db: 'failed', app: 'ready' });
    expect(told.some((line) => line.startsWith('ended'))).toBe(false);
  });
});

describe('intended ends', () => {
  test('law 36: stops, starts and restarts between crashes use up none of the limit', () => {
    const { services, launcher, clock, words } = servicesWithFakes([
      aService('app', { critical: true, restart: twice }),
    ]);
    services.startAll();
    launcher.last('app').exit(1);
    clock.advance(500);
    for (let times = 0; times < 10; times += 1) {
      services.restart(['app']);
      services.stop(['app']);
      services.start(['app']);
    }
    expect(words()).toEqual({ app: 'ready' });
    expect(services.status('app')?.restarts).toBe(1);
  });

  test('law 36: restart starts what is stopped, done or failed, and never twice', () => {
    const { services, launcher, words } = servicesWithFakes([
      aService('stopped'),
      aTask('done'),
      aTask('failed'),
    ]);
    services.startAll();
    services.stop(['stopped']);
    launcher.last('done').exit(0);
    launcher.last('failed').exit(1);
    services.restart(['stopped', 'done', 'failed']);
    expect(words()).toEqual({ stopped: 'ready', done: 'starting', failed: 'starting' });
    expect(launcher.launches.slice(3)).toEqual(['stopped@2', 'done@2', 'failed@2']);
  });
});

describe('a service that ends as soon as it starts', () => {
  test.each([0, 1])(
    'law 9: one that ends with %s waits longer each time, up to the cap, and not at all after a stable spell',
    (code) => {
      const restart = { ...aService('x').restart, giveUp: undefined };
      const { services, launcher, clock } = servicesWithFakes([aService('app', { restart })]);
      services.startAll();
      const waits = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
      for (const [index, wait] of waits.entries()) {
        clock.advance(50);
        launcher.last('app').exit(code);
        clock.advance(wait - 1);
        expect(launcher.launches).toHaveLength(index + 1);
        clock.advance(1);
        expect(launcher.launches).toHaveLength(index + 2);
      }
      clock.advance(60_000);
      launcher.last('app').exit(code);
      expect(launcher.launches).toHaveLength(waits.length + 2);
      launcher.last('app').exit(code);
      clock.advance(500);
      expect(launcher.launches).toHaveLength(waits.length + 3);
    },
  );
});
