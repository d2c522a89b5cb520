import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/base/errors.ts';
import { stubborn } from '../../support/fake-launcher.ts';
import { aCheck, aService, aTask, needs } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const checked = { healthcheck: aCheck };
const noEntry = Object.assign(new Error('cannot start app: no such program'), { code: 'ENOENT' });

describe('starting', () => {
  test('runs start when what they depend on is there, and only then', () => {
    const { services, launcher, words, reason, told } = servicesWithFakes([
      aService('database', { ...checked, critical: true }),
      aTask('migrate', { dependsOn: needs('database') }),
      aService('app', {
        ready: { kind: 'fd', fd: 4 },
        dependsOn: needs({ migrate: 'service_completed_successfully' }),
      }),
    ]);
    services.startAll();
    expect(words()).toEqual({ database: 'starting', migrate: 'waiting', app: 'waiting' });
    expect(reason('migrate')).toBe('waiting for database to be healthy');
    expect(reason('database')).toBe('waiting for the first success of its health check');
    services.checkPassed('database', 1);
    expect(words()).toEqual({ database: 'ready', migrate: 'starting', app: 'waiting' });
    launcher.last('migrate').exit(0);
    expect(words()).toEqual({ database: 'ready', migrate: 'done', app: 'starting' });
    expect(reason('app')).toBe('waiting for its ready message on fd 4');
    launcher.last('app').ready();
    expect(words().app).toBe('ready');
    expect(told.filter((line) => line === 'settled')).toHaveLength(1);
  });

  test('a line of its log makes it ready', () => {
    const { services, words, reason } = servicesWithFakes([
      aService('app', { ready: { kind: 'log', pattern: /listening/ } }),
    ]);
    services.startAll();
    expect(reason('app')).toBe('waiting for its log to say /listening/');
    services.logMatched('app', 1);
    expect(words()).toEqual({ app: 'ready' });
  });

  test('booted is told once, when every critical run is there; settled when the others came to something', () => {
    const { services, launcher, clock, told } = servicesWithFakes([
      aService('app', { ...checked, critical: true }),
      aService('extra', checked),
    ]);
    services.startAll();
    clock.advance(1500);
    services.checkPassed('app', 1);
    expect(told).toContain('booted 1500');
    expect(told).not.toContain('settled');
    launcher.last('extra').exit(1);
    expect(told).toContain('settled');
    launcher.last('app').exit(1);
    clock.advance(10_000);
    services.checkPassed('app', 2);
    expect(told.filter((line) => line.startsWith('booted'))).toHaveLength(1);
  });

  test('a critical run that failed at first and then came up has booted all the same', () => {
    const { services, launcher, clock, told } = servicesWithFakes([
      aService('app', { ...checked, critical: true }),
    ]);
    services.startAll();
    launcher.last('app').exit(1);
    clock.advance(10_000);
    services.checkPassed('app', 2);
    expect(told.filter((line) => line.startsWith('booted'))).toHaveLength(1);
  });

  test('health checks are wanted from the spawn to the end, each generation its own', () => {
    const { services, launcher, clock, told } = servicesWithFakes([aService('app', checked)]);
    services.startAll();
    services.checkPassed('app', 1);
    launcher.last('app').exit(1);
    clock.advance(600);
    services.stop(['app']);
    expect(told.filter((line) => line.startsWith('checks'))).toEqual([
      'checks wanted app@1',
      'checks unwanted app@1',
      'checks wanted app@2',
      'checks unwanted app@2',
    ]);
  });

  test('one that is not ready in time is stopped and tried again', () => {
    const { services, launcher, clock, words, reason } = servicesWithFakes([
      aService('app', { ...checked, startTimeout: 30_000 }),
    ]);
    services.startAll();
    clock.advance(30_000);
    expect(launcher.last('app').signals[0]).toBe('SIGTERM leader');
    expect(words()).toEqual({ app: 'backoff' });
    expect(reason('app')).toBe('not ready after 30 s, next start in 1 s');
  });

  test('a check that goes down before it ever was up is a failed start', () => {
    const { services, words, reason } = servicesWithFakes([aService('app', checked)]);
    services.startAll();
    services.checkFailed('app', 1, '3 of 3 checks failed: HTTP 503');
    expect(words()).toEqual({ app: 'backoff' });
    expect(reason('app')).toBe('was unhealthy (3 of 3 checks failed: HTTP 503), next start in 1 s');
  });
});

describe('failing', () => {
  test('law 3: the leader’s exit is not enough: the next start waits until its group is empty', () => {
    const { services, launcher, clock, words } = servicesWithFakes([aService('app')]);
    services.startAll();
    launcher.last('app').survivors = stubborn;
    launcher.last('app').exit(1);
    expect(launcher.last('app').signals).toEqual(['SIGTERM everything']);
    clock.advance(3999);
    expect(launcher.launches).toEqual(['app@1']);
    expect(words()).toEqual({ app: 'backoff' });
    clock.advance(1);
    expect(launcher.violations).toEqual([]);
    expect(launcher.launches).toEqual(['app@1', 'app@2']);
  });

  test('law 10: a slow crash loop waits longer each time and gives up inside the window', () => {
    const { services, launcher, clock, told, words } = servicesWithFakes([
      aService('app', {
        critical: true,
        restart: {
          policy: 'always',
          initialDelay: 500,
          maxDelay: 30_000,
          stableAfter: 60_000,
          giveUp: { limit: 5, window: 600_000 },
        },
      }),
    ]);
    services.startAll();
    const starts: number[] = [];
    for (let crash = 1; crash <= 6; crash += 1) {
      starts.push(clock.mono());
      clock.advance(2000);
      launcher.last('app').exit(1);
      if (crash < 6) clock.advance(500 * 2 ** (crash - 1));
    }
    expect(starts).toEqual([0, 2500, 5500, 9500, 15_500, 25_500]);
    expect(launcher.launches).toHaveLength(6);
    expect(words()).toEqual({ app: 'failed' });
    expect(told.slice(-2)).toEqual([
      'gave up app: crashed 6 times in 26 s (exit 1)',
      'ended criticalGaveUp app: crashed 6 times in 26 s (exit 1)',
    ]);
    expect(clock.armed).toBe(0);
  });

  test('law 9: a first crash after a stable spell restarts at once', () => {
    const { services, launcher, clock, words } = servicesWithFakes([aService('app')]);
    services.startAll();
    clock.advance(60_000);
    launcher.last('app').exit(null, 'SIGSEGV');
    expect(launcher.launches).toEqual(['app@1', 'app@2']);
    expect(words()).toEqual({ app: 'ready' });
    launcher.last('app').exit(null, 'SIGSEGV');
    expect(words()).toEqual({ app: 'backoff' });
  });

  test('law 11: a spawn that fails, also at the second try, is a failure like any other and never strands', () => {
    const { services, launcher, clock, words, reason } = servicesWithFakes([aService('app')]);
    launcher.fail('app', Object.assign(new Error('cannot start app: EAGAIN'), { code: 'EAGAIN' }));
    services.startAll();
    launcher.tellFailures();
    expect(reason('app')).toBe('cannot start app: EAGAIN, next start in 1 s');
    clock.advance(500);
    launcher.tellFailures();
    expect(words()).toEqual({ app: 'backoff' });
    launcher.fail('app', undefined);
    clock.advance(1000);
    expect(words()).toEqual({ app: 'ready' });
    expect(launcher.launches).toHaveLength(3);
  });

  test('a critical program that is missing at its first start ends 13 at once', () => {
    const { services, launcher, told, words } = servicesWithFakes([aService('app', { critical: true })]);
    launcher.fail('app', noEntry);
    services.startAll();
    launcher.tellFailures();
    expect(words()).toEqual({ app: 'failed' });
    expect(told.at(-1)).toBe('ended cannotStart app: cannot start app: no such program');
  });

  test('an unknown user is missing too, and its remedy is told', () => {
    const { services, launcher, told } = servicesWithFakes([aTask('setup', { critical: true })]);
    launcher.fail(
      'setup',
      new Failure('cannot start setup: no user postgres', { remedy: 'add it to the image', exitCode: 13 }),
    );
    services.startAll();
    launcher.tellFailures();
    expect(told.at(-1)).toBe(
      'ended cannotStart setup: cannot start setup: no user postgres; add it to the image',
    );
  });

  test('a missing program of an optional run only backs off', () => {
    const { services, launcher, told, words } = servicesWithFakes([aService('app')]);
    launcher.fail('app', noEntry);
    services.startAll();
    launcher.tellFailures();
    expect(words()).toEqual({ app: 'backoff' });
    expect(told.some((line) => line.startsWith('ended'))).toBe(false);
  });

  test('law 11: a program that vanishes after it once ran is tried again, critical or not', () => {
    const { services, launcher, words } = servicesWithFakes([aService('app', { critical: true })]);
    services.startAll();
    launcher.fail('app', noEntry);
    services.restart(['app']);
    launcher.tellFailures();
    expect(words()).toEqual({ app: 'backoff' });
  });

  test('an optional one that gave up is tried again slowly, and a person needs not wait for that', () => {
    const restart = { ...aService('x').restart, giveUp: { limit: 0, window: 1000 } };
    const { services, launcher, clock, words, reason } = servicesWithFakes([aService('app', { restart })]);
    services.startAll();
    launcher.last('app').exit(1);
    expect(words()).toEqual({ app: 'failed' });
    expect(reason('app')).toBe('crashed (exit 1), next start in 10 min');
    clock.advance(600_000);
    expect(words()).toEqual({ app: 'ready' });
    launcher.last('app').exit(1);
    services.start(['app']);
    expect(words()).toEqual({ app: 'ready' });
  });

  test('law 19: a failing health check restarts it gracefully once, on the same budget as crashes', () => {
    const { services, launcher, clock, words } = servicesWithFakes([aService('app', checked)]);
    launcher.obey('app', stubborn);
    services.startAll();
    services.checkPassed('app', 1);
    services.checkFailed('app', 1, 'HTTP 500');
    services.checkFailed('app', 1, 'HTTP 500');
    expect(launcher.last('app').signals).toEqual(['SIGTERM leader']);
    expect(words()).toEqual({ app: 'stopping' });
    clock.advance(4000);
    // Late news of the old generation.
    services.checkFailed('app', 1, 'HTTP 500');
    clock.advance(1000);
    expect(launcher.launches).toEqual(['app@1', 'app@2']);
    expect(services.status('app')?.restarts).toBe(1);
    services.checkFailed('app', 1, 'HTTP 500');
    expect(launcher.last('app').lives).toBe(true);
  });

  test('a critical one that gives up as unhealthy ends 11', () => {
    const restart = { ...aService('x').restart, policy: 'no' } as const;
    const { services, told } = servicesWithFakes([aService('app', { ...checked, critical: true, restart })]);
    services.startAll();
    services.checkPassed('app', 1);
    services.checkFailed('app', 1, 'HTTP 500');
    expect(told.at(-1)).toBe('ended criticalUnhealthy app: was unhealthy (HTTP 500)');
  });

  test('with on_unhealthy exit the container ends though the service lives', () => {
    const { services, told, words } = servicesWithFakes([
      aService('app', { ...checked, onUnhealthy: 'exit' }),
    ]);
    services.startAll();
    services.checkPassed('app', 1);
    services.checkFailed('app', 1, 'HTTP 500');
    expect(words()).toEqual({ app: 'unhealthy' });
    expect(told.at(-1)).toBe('ended criticalUnhealthy app: HTTP 500');
  });

  test('with on_unhealthy ignore it only shows, and recovers', () => {
    const { services, launcher, words, reason } = servicesWithFakes([
      aService('app', { ...checked, onUnhealthy: 'ignore' }),
    ]);
    services.startAll();
    services.checkPassed('app', 1);
    services.checkFailed('app', 1, 'HTTP 500');
    expect(words()).toEqual({ app: 'unhealthy' });
    expect(reason('app')).toBe('HTTP 500');
    services.checkPassed('app', 1);
    expect(words()).toEqual({ app: 'ready' });
    expect(launcher.launches).toHaveLength(1);
  });

  test('policies: no and on-failure leave a good end alone, always does not', () => {
    const { services, launcher, words, reason } = servicesWithFakes(
      (['no', 'on-failure', 'always'] as const).map((policy) =>
        aService(policy, { restart: { ...aService('x').restart, policy } }),
      ),
    );
    services.startAll();
    for (const name of services.names) launcher.last(name).exit(0);
    expect(words()).toEqual({ no: 'done', 'on-failure': 'done', always: 'backoff' });
    expect(reason('always')).toBe('ended (exit 0), next start in 1 s');
    expect(reason('no')).toBe('ended with exit 0, and its restart policy is no');
  });
});

describe('tasks', () => {
  test('a critical task that fails ends 12 with what it said itself', () => {
    const { services, launcher, told, words, reason } = servicesWithFakes([
      aTask('import', { critical: true }),
    ]);
    services.startAll();
    launcher
      .last('import')
      .events.report({ type: 'failure', message: 'cannot import x.sql: it is truncated', remedy: undefined });
    launcher.last('import').exit(1);
    expect(words()).toEqual({ import: 'failed' });
    expect(reason('import')).toBe('failed (cannot import x.sql: it is truncated)');
    expect(told.at(-1)).toBe('ended taskFailed import: failed (cannot import x.sql: it is truncated)');
  });

  test('is tried again as often as its plan says', () => {
    const { services, launcher, clock, words, reason } = servicesWithFakes([aTask('setup', { retries: 2 })]);
    services.startAll();
    launcher.last('setup').exit(1);
    clock.advance(1000);
    launcher.last('setup').exit(1);
    clock.advance(2000);
    launcher.last('setup').exit(1);
    expect(launcher.launches).toHaveLength(3);
    expect(words()).toEqual({ setup: 'failed' });
    expect(reason('setup')).toBe('failed 3 times in 3.0 s (exit 1)');
  });

  test('start leaves a task that is done alone, restart runs it again', () => {
    const { services, launcher, words } = servicesWithFakes([aTask('setup')]);
    services.startAll();
    launcher.last('setup').exit(0);
    services.start(['setup']);
    expect(launcher.launches).toHaveLength(1);
    services.restart(['setup']);
    expect(words()).toEqual({ setup: 'starting' });
  });

  test('one that takes too long is stopped and has failed', () => {
    const { services, clock, words, reason } = servicesWithFakes([aTask('setup', { startTimeout: 60_000 })]);
    services.startAll();
    clock.advance(60_000);
    expect(words()).toEqual({ setup: 'failed' });
    expect(reason('setup')).toBe('not finished after 1 min');
  });

  test('shows how far it has come', () => {
    const { services, launcher, told } = servicesWithFakes([aTask('import')]);
    services.startAll();
    const progress = { what: 'importing tools.sql.gz', percent: 43, detail: '7,210 rows' };
    launcher.last('import').events.report({ type: 'progress', progress });
    expect(services.status('import')?.progress).toEqual(progress);
    expect(told.at(-1)).toBe('reported import@1 progress');
    launcher.last('import').exit(0);
    expect(services.status('import')?.progress).toBeUndefined();
  });
});

describe('dependencies', () => {
  test('law 12: a dependency that failed for good is named to those who wait, and a critical one among them ends', () => {
    const { services, launcher, told, words, reason } = servicesWithFakes([
      aTask('setup'),
      aService('api', { dependsOn: needs({ setup: 'service_completed_successfully' }) }),
      aService('app', { dependsOn: needs('api'), critical: true }),
    ]);
    services.startAll();
    launcher.last('setup').exit(4);
    expect(words()).toEqual({ setup: 'failed', api: 'waiting', app: 'waiting' });
    expect(reason('api')).toBe('waiting for setup, which failed: failed (exit 4)');
    expect(told.at(-1)).toBe('ended taskFailed app: waiting for api to be healthy');
  });

  test('an optional dependency is waited for on its first way up, and forgiven when it fails', () => {
    const { services, launcher, words } = servicesWithFakes([
      aService('cache', checked),
      aService('app', { dependsOn: needs('cache', false) }),
      aService('other', { dependsOn: needs('absent', false) }),
    ]);
    services.startAll();
    expect(words()).toEqual({ cache: 'starting', app: 'waiting', other: 'ready' });
    launcher.last('cache').exit(1);
    expect(words()).toEqual({ cache: 'backoff', app: 'ready', other: 'ready' });
  });

  test('service_started asks for no readiness', () => {
    const { services, launcher, words } = servicesWithFakes([
      aService('cache', checked),
      aService('app', { dependsOn: needs({ cache: 'service_started' }) }),
    ]);
    launcher.fail('cache', noEntry);
    services.startAll();
    expect(words().app).toBe('waiting');
    launcher.tellFailures();
    launcher.fail('cache', undefined);
    services.start(['cache']);
    expect(words()).toEqual({ cache: 'starting', app: 'ready' });
  });

  test('law 17: one that flaps stops nobody who runs; who comes late waits', () => {
    const { services, launcher, clock, words } = servicesWithFakes([
      aService('database', { ...checked, onUnhealthy: 'ignore' }),
      aService('app', { dependsOn: needs('database') }),
      aService('late', { dependsOn: needs('database') }),
    ]);
    services.startAll();
    services.stop(['late']);
    services.checkPassed('database', 1);
    services.checkFailed('database', 1, 'too many clients');
    services.start(['late']);
    expect(words()).toEqual({ database: 'unhealthy', app: 'ready', late: 'waiting' });
    expect(services.status('late')?.reason).toBe('waiting for database to be healthy: too many clients');
    services.checkPassed('database', 1);
    expect(words().late).toBe('ready');
    launcher.last('database').exit(1);
    expect(words().app).toBe('ready');
    launcher.last('app').exit(1);
    clock.advance(500);
    // The database was asked again at the end of the backoff; it came back at the same moment and is not checked yet.
    expect(words()).toEqual({ database: 'starting', app: 'waiting', late: 'ready' });
    services.checkPassed('database', 2);
    expect(words().app).toBe('ready');
  });

  test('one that a person stopped is named so', () => {
    const { services, reason } = servicesWithFakes([
      aService('database'),
      aService('app', { dependsOn: needs('database') }),
    ]);
    services.startAll();
    services.stop(['database', 'app']);
    services.start(['app']);
    expect(reason('app')).toBe('waiting for database, which is stopped');
    services.start(['database']);
    expect(reason('app')).toBe('');
  });
});

describe('commands', () => {
  test('law 6: stop ends in stopped from every state, with no later spawn and no timer left', () => {
    const prepare: Record<string, (fakes: ReturnType<typeof servicesWithFakes>) => void> = {
      waiting: ({ services }) => services.stop(['database']),
      starting: () => {},
      ready: ({ services }) => services.checkPassed('app', 1),
      backoff: ({ launcher }) => launcher.last('app').exit(1),
      stopping: ({ services, launcher }) => {
        launcher.last('app').survivors = stubborn;
        services.restart(['app']);
      },
      failed: ({ launcher, services }) => {
        launcher.fail('app', noEntry);
        services.restart(['app']);
        for (let tries = 0; tries < 9; tries += 1) {
          launcher.tellFailures();
          services.start(['app']);
        }
        launcher.tellFailures();
      },
    };
    for (const [name, bring] of Object.entries(prepare)) {
      const fakes = servicesWithFakes([
        aService('database'),
        aService('app', { ...checked, dependsOn: needs('database') }),
      ]);
      fakes.services.startAll();
      bring(fakes);
      fakes.services.stop(['app', 'database']);
      fakes.launcher.tellFailures();
      fakes.clock.advance(10_000);
      const launches = fakes.launcher.launches.length;
      fakes.clock.advance(3_600_000);
      expect([name, fakes.words().app, fakes.clock.armed]).toEqual([name, 'stopped', 0]);
      expect(fakes.launcher.launches).toHaveLength(launches);
      expect(fakes.services.impossible).toBe(0);
    }
  });

  test('law 7: a restart while waiting, asked twice, ends in exactly one process', () => {
    const { services, launcher } = servicesWithFakes([
      aService('a', { ready: { kind: 'fd', fd: 4 } }),
      aService('b', { dependsOn: needs('a') }),
    ]);
    services.startAll();
    services.restart(['b']);
    services.restart(['b']);
    launcher.last('a').ready();
    expect(launcher.living('b')).toHaveLength(1);
    expect(launcher.launches).toEqual(['a@1', 'b@1']);
  });

  test('law 36: a restart never counts as a failure, ends no container, and leaves dependents up', () => {
    const { services, launcher, told, words } = servicesWithFakes([
      aService('database', { critical: true }),
      aService('app', { dependsOn: needs('database') }),
    ]);
    services.startAll();
    for (let times = 0; times < 20; times += 1) services.restart(['database']);
    expect(services.status('database')).toMatchObject({ generation: 21, restarts: 0, status: 'ready' });
    expect(words().app).toBe('ready');
    expect(launcher.last('app').generation).toBe(1);
    expect(told.some((line) => line.startsWith('ended') || line.startsWith('gave up'))).toBe(false);
  });

  test('restart starts what is stopped', () => {
    const { services, words } = servicesWithFakes([aService('app')]);
    services.restart(['app']);
    expect(words()).toEqual({ app: 'ready' });
  });

  test('a start asked during a backoff starts now', () => {
    const { services, launcher, words } = servicesWithFakes([aService('app')]);
    services.startAll();
    launcher.last('app').exit(1);
    services.start(['app']);
    expect(words()).toEqual({ app: 'ready' });
  });

  test('a start asked while it is being stopped starts it again afterwards', () => {
    const { services, launcher, clock, words } = servicesWithFakes([aService('app')]);
    launcher.obey('app', stubborn);
    services.startAll();
    services.stop(['app']);
    services.start(['app']);
    expect(words()).toEqual({ app: 'stopping' });
    clock.advance(4000);
    expect(words()).toEqual({ app: 'ready' });
    expect(services.status('app')?.restarts).toBe(0);
  });

  test('a spawn that turns out to have failed after a stop was asked ends stopped', () => {
    const { services, launcher, words, clock } = servicesWithFakes([aService('app')]);
    launcher.fail('app', noEntry);
    services.startAll();
    services.stop(['app']);
    launcher.tellFailures();
    expect(words()).toEqual({ app: 'stopped' });
    expect(clock.armed).toBe(0);
  });

  test('a start asked while a failed generation is being cleared needs no backoff afterwards', () => {
    const restart = { ...aService('x').restart, initialDelay: 30_000 };
    const { services, launcher, clock, words } = servicesWithFakes([
      aService('app', { ...checked, restart }),
    ]);
    launcher.obey('app', stubborn);
    services.startAll();
    services.checkFailed('app', 1, 'HTTP 500');
    services.start(['app']);
    clock.advance(4000);
    expect(words()).toEqual({ app: 'starting' });
    expect(services.status('app')).toMatchObject({ generation: 2, restarts: 1 });
  });

  test('a restart that meets a spawn that failed is a restart: the first cause wins', () => {
    const { services, launcher, words } = servicesWithFakes([aService('app')]);
    launcher.fail('app', noEntry);
    services.startAll();
    services.restart(['app']);
    launcher.fail('app', undefined);
    launcher.tellFailures();
    expect(words()).toEqual({ app: 'ready' });
    expect(services.status('app')).toMatchObject({ generation: 2, restarts: 0 });
  });

  test('an unknown name is refused before anything is done', () => {
    const { services, words } = servicesWithFakes([aService('app')]);
    services.startAll();
    expect(() => services.stop(['app', 'ap'])).toThrow('cannot stop ap: there is no such service');
    expect(words()).toEqual({ app: 'ready' });
  });
});

describe('the runner', () => {
  test('a listener that throws is reported and breaks nothing', () => {
    const told: string[] = [];
    const { services, words } = servicesWithFakes([aService('app')], {
      listener: {
        changed: () => {
          throw new Error('no');
        },
        misbehaved: (text) => told.push(text),
      },
    });
    services.startAll();
    expect(words()).toEqual({ app: 'ready' });
    expect(told[0]).toBe('a listener of changed threw: no');
  });

  test('a listener may ask for something while it is being told', () => {
    const { services, words, launcher } = servicesWithFakes([aService('app')], {
      listener: { becameReady: (_name, generation) => generation === 1 && services.restart(['app']) },
    });
    services.startAll();
    expect(words()).toEqual({ app: 'ready' });
    expect(launcher.violations).toEqual([]);
    expect(launcher.launches).toEqual(['app@1', 'app@2']);
  });

  test('what should never come is counted and said, never thrown', () => {
    const { services, launcher, told } = servicesWithFakes([aService('app')]);
    services.startAll();
    launcher.last('app').events.emptied();
    expect(services.impossible).toBe(1);
    expect(told.at(-1)).toBe('misbehaved internal error: app got emptied while up');
  });

  test('until resolves on the change itself', async () => {
    const { services } = servicesWithFakes([aService('app', checked)]);
    services.startAll();
    const ready = services.until((now) => now.status('app')?.status === 'ready');
    services.checkPassed('app', 1);
    await ready;
    const abort = new AbortController();
    const never = services.until(() => false, abort.signal);
    abort.abort(new Error('enough'));
    await expect(never).rejects.toThrow('enough');
  });

  test('law 15: a jump of the wall clock moves nothing: deadlines are monotonic', () => {
    let jump = 0;
    const fakes = servicesWithFakes([aService('app')]);
    const clock = { ...fakes.clock, after: fakes.clock.after, now: () => fakes.clock.now() + jump };
    const again = servicesWithFakes([aService('app')], { clock });
    again.services.startAll();
    again.launcher.last('app').exit(1);
    jump = -3_600_000;
    fakes.clock.advance(499);
    expect(again.words()).toEqual({ app: 'backoff' });
    expect(Date.parse(again.services.status('app')?.nextStart ?? '')).toBe(clock.now() + 1);
    jump = 3_600_000;
    expect(again.words()).toEqual({ app: 'backoff' });
    fakes.clock.advance(1);
    expect(again.words()).toEqual({ app: 'ready' });
  });
});
