import { describe, expect, test } from 'vitest';
import { changesBetween } from '../../../src/supervisor/services/reload.ts';
import { stubborn } from '../../support/fake-launcher.ts';
import { aCheck, aService, aTask, needs } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

describe('what a new plan changes', () => {
  test('nothing, where nothing differs: texts, lists and patterns are compared by what they say', () => {
    const run = () =>
      aService('app', {
        ready: { kind: 'log', pattern: /ready/i },
        environment: { DATABASE_URL: { parts: ['x', { late: 'DATABASE_URL' }] } },
        dependsOn: needs('database'),
      });
    expect(changesBetween([run()], [run()])).toEqual([]);
  });

  test('names the settings that differ', () => {
    const before = aService('app', { environment: { PORT: '3000', A: '1' }, healthcheck: aCheck });
    const after = aService('app', {
      environment: { PORT: '3001', B: '1' },
      healthcheck: { ...aCheck, interval: 1 },
      user: 'app',
    });
    expect(changesBetween([before], [after])).toEqual([
      {
        service: 'app',
        action: 'restart',
        reason: 'user, environment.PORT, environment.A, environment.B, healthcheck.interval',
      },
    ]);
  });

  test('what only the supervisor reads is taken over without a restart', () => {
    const after = aService('app', { critical: true, startTimeout: 5, dependsOn: needs('x') });
    expect(changesBetween([aService('app')], [after])).toEqual([
      { service: 'app', action: 'update', reason: 'dependsOn.x, critical, startTimeout' },
    ]);
  });

  test('a changed task is not run again', () => {
    const after = aTask('migrate', { workingDir: '/app' });
    expect(changesBetween([aTask('migrate')], [after])[0]?.action).toBe('update');
  });

  test('new ones start, removed ones stop', () => {
    expect(changesBetween([aService('old')], [aService('new')])).toEqual([
      { service: 'new', action: 'start', reason: 'new in the plan' },
      { service: 'old', action: 'stop', reason: 'no longer in the plan' },
    ]);
  });
});

describe('taking a new plan over', () => {
  test('law 35: touches only what changed', () => {
    const { services, launcher, words } = servicesWithFakes([aService('a'), aService('b'), aService('c')]);
    services.startAll();
    services.applyPlan([aService('a'), aService('b', { user: 'app' }), aService('d')]);
    expect(words()).toEqual({ a: 'ready', b: 'ready', d: 'ready' });
    expect(launcher.launches).toEqual(['a@1', 'b@1', 'c@1', 'b@2', 'd@1']);
    expect(launcher.last('b').run.user).toBe('app');
    expect(launcher.living('c')).toEqual([]);
  });

  test('a removed run is forgotten only when nothing of it lives', () => {
    const { services, launcher, clock, words } = servicesWithFakes([aService('a')]);
    launcher.obey('a', stubborn);
    services.startAll();
    services.applyPlan([]);
    expect(words()).toEqual({ a: 'stopping' });
    clock.advance(4000);
    expect(words()).toEqual({});
    expect(clock.armed).toBe(0);
  });

  test('a run that comes back while it is leaving starts again in its own name', () => {
    const { services, launcher, clock, words } = servicesWithFakes([aService('a')]);
    launcher.obey('a', stubborn);
    services.startAll();
    services.applyPlan([]);
    services.applyPlan([aService('a')]);
    clock.advance(4000);
    expect(words()).toEqual({ a: 'ready' });
    expect(launcher.violations).toEqual([]);
    expect(launcher.launches).toEqual(['a@1', 'a@2']);
  });

  test('what a person stopped stays stopped, with its new settings', () => {
    const { services, launcher, words } = servicesWithFakes([aService('a')]);
    services.startAll();
    services.stop(['a']);
    services.applyPlan([aService('a', { user: 'app' })]);
    expect(words()).toEqual({ a: 'stopped' });
    services.start(['a']);
    expect(launcher.last('a').run.user).toBe('app');
  });

  test('a mended plan helps one that gave up', () => {
    const restart = { ...aService('x').restart, policy: 'no' } as const;
    const { services, launcher, words } = servicesWithFakes([aService('a', { restart })]);
    services.startAll();
    launcher.last('a').exit(1);
    expect(words()).toEqual({ a: 'failed' });
    services.applyPlan([aService('a', { restart, user: 'app' })]);
    expect(words()).toEqual({ a: 'ready' });
  });

  test('a dependency that is dropped no longer holds anybody back', () => {
    const { services, words } = servicesWithFakes([
      aService('slow', { healthcheck: aCheck }),
      aService('app', { dependsOn: needs('slow') }),
    ]);
    services.startAll();
    expect(words()).toEqual({ slow: 'starting', app: 'waiting' });
    services.applyPlan([aService('slow', { healthcheck: aCheck }), aService('app')]);
    expect(words()).toEqual({ slow: 'starting', app: 'ready' });
  });

  test('is refused while everything is being stopped', () => {
    const { services } = servicesWithFakes([]);
    void services.shutdown();
    expect(() => services.applyPlan([])).toThrow('cannot reload: everything is being stopped');
  });
});
