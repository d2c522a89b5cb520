import { describe, expect, test } from 'vitest';
import { stubborn } from '../../support/fake-launcher.ts';
import { aCheck, aService, aTask, needs } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const plan = [
  aTask('cluster', { critical: true }),
  aService('database', {
    critical: true,
    healthcheck: aCheck,
    dependsOn: needs({ cluster: 'service_completed_successfully' }),
  }),
  aTask('setup', { critical: true, dependsOn: needs('database') }),
  aService('app', {
    critical: true,
    dependsOn: needs({ database: 'service_healthy', setup: 'service_completed_successfully' }),
  }),
  aService('worker', { dependsOn: needs('app') }),
  aService('cache'),
];

/** Everything up; what was told until then is forgotten. */
function running(stubbornOnes: readonly string[] = []) {
  const all = servicesWithFakes(plan);
  const { services, launcher, told } = all;
  for (const name of stubbornOnes) launcher.obey(name, stubborn);
  services.startAll();
  goThrough(1);
  told.splice(0);
  launcher.launches.splice(0);
  return { ...all, goThrough };

  /** The boot order once more. */
  function goThrough(generation: number): void {
    launcher.last('cluster').exit(0);
    services.checkPassed('database', generation);
    launcher.last('setup').exit(0);
  }
}

describe('a restart with dependents', () => {
  test('stops from the leaves down, starts from the root up with tasks run again, and touches nothing else', () => {
    const { services, launcher, told, words, goThrough } = running();
    expect(services.restartTree(['cluster'])).toEqual(['cluster', 'database', 'setup', 'app', 'worker']);
    const exits = told.filter((line) => line.startsWith('exited'));
    expect(exits).toEqual([
      'exited worker@1 SIGTERM asked',
      'exited app@1 SIGTERM asked',
      'exited database@1 SIGTERM asked',
    ]);
    expect(words()).toMatchObject({
      cluster: 'starting',
      database: 'waiting',
      app: 'waiting',
      cache: 'ready',
    });
    goThrough(2);
    expect(launcher.launches).toEqual(['cluster@2', 'database@2', 'setup@2', 'app@2', 'worker@2']);
    expect(new Set(Object.values(words()))).toEqual(new Set(['done', 'ready']));
    expect(services.status('app')?.restarts).toBe(0);
    expect(told.filter((line) => /ended|gave up|misbehaved|exited cache/.test(line))).toEqual([]);
  });

  test('waits until nothing of a dependent lives before what it depends on is stopped', () => {
    const { services, launcher, clock } = running(['app']);
    services.restartTree(['database']);
    expect(launcher.living('worker')).toEqual([]);
    expect(launcher.last('database').generation).toBe(1);
    clock.advance(4000);
    expect(launcher.last('app').lives).toBe(false);
    expect(launcher.last('database').generation).toBe(2);
    expect(launcher.launches).not.toContain('cluster@2');
  });

  test('leaves stopped what somebody had stopped, before or meanwhile', () => {
    const { services, launcher, words, goThrough } = running(['database']);
    services.stop(['worker']);
    services.restartTree(['cluster']);
    services.stop(['app']);
    launcher.last('database').exit(0);
    goThrough(2);
    expect(words()).toMatchObject({ database: 'ready', setup: 'done', app: 'stopped', worker: 'stopped' });
  });

  test('starts a named one that was stopped, as restart does', () => {
    const { services, words } = running();
    services.stop(['worker']);
    expect(services.restartTree(['worker'])).toEqual(['worker']);
    expect(words().worker).toBe('ready');
  });

  test('a crash in its course starts nothing early, and a start asked for waits', () => {
    const { services, launcher, words } = running(['worker']);
    services.restartTree(['cluster']);
    launcher.last('app').exit(1);
    expect(launcher.living('app')).toEqual([]);
    services.start(['app']);
    expect(words()).toMatchObject({ cluster: 'done', database: 'stopped', app: 'waiting' });
    expect(launcher.launches).toEqual([]);
    launcher.last('worker').exit(1);
    expect(words()).toMatchObject({ cluster: 'starting', app: 'waiting' });
    expect(launcher.launches).toEqual(['cluster@2']);
  });

  test('a second one is refused while the first is under way, and a stop of everything beats it', async () => {
    const { services, launcher } = running(['database']);
    services.restartTree(['cluster']);
    expect(() => services.restartTree(['app'])).toThrow(/another restart with dependents is under way/);
    const over = services.shutdown();
    launcher.last('database').exit(0);
    await over;
    expect(launcher.living()).toEqual([]);
    expect(() => services.restartTree(['app'])).toThrow(/everything is being stopped/);
  });

  test('refuses a name nobody has', () => {
    expect(() => running().services.restartTree(['nobody'])).toThrow(
      'cannot restart nobody: there is no such service',
    );
  });
});
