import { describe, expect, test } from 'vitest';
import { obedient, stubborn, unkillable } from '../../support/fake-launcher.ts';
import { aCheck, aService, aTask, needs, postgresLadder, termLadder } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const database = aService('database', { stop: postgresLadder, critical: true });
const app = aService('app', { dependsOn: needs('database'), critical: true });
const scraper = aService('scraper', { dependsOn: needs('app') });
const cron = aService('cron', { dependsOn: needs('database') });

function started(...arguments_: Parameters<typeof servicesWithFakes>) {
  const fakes = servicesWithFakes(...arguments_);
  fakes.services.startAll();
  return fakes;
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe('a stop of everything', () => {
  test('law 22: goes against the dependencies, one level at a time', async () => {
    const { services, told, words } = started([database, app, scraper]);
    const { unclean } = await services.shutdown();
    expect(unclean).toEqual([]);
    expect(told.filter((line) => line.startsWith('exited'))).toEqual([
      'exited scraper@1 SIGTERM asked',
      'exited app@1 SIGTERM asked',
      'exited database@1 SIGINT asked',
    ]);
    expect(words()).toEqual({ database: 'stopped', app: 'stopped', scraper: 'stopped' });
  });

  test('lets independent branches stop at the same time', () => {
    const { services, launcher } = servicesWithFakes([database, app, cron]);
    launcher.obey('app', stubborn);
    services.startAll();
    void services.shutdown();
    expect(launcher.last('cron').signals).toEqual(['SIGTERM leader']);
    expect(launcher.last('app').signals).toEqual(['SIGTERM leader']);
    expect(launcher.last('database').signals).toEqual([]);
  });

  test('law 22: keeps the reserved share of the database whatever the others take', async () => {
    const runs = [database, app, scraper];
    const { services, launcher, clock } = servicesWithFakes(runs);
    launcher.obey('app', stubborn);
    launcher.obey('scraper', stubborn);
    let databaseAsked: number | undefined;
    launcher.obey('database', (signal) => {
      databaseAsked ??= clock.mono();
      return signal === 'SIGKILL';
    });
    services.startAll();
    const over = services.shutdown();
    clock.advance(9000);
    expect((await over).unclean).toEqual(['database', 'app', 'scraper']);
    expect(databaseAsked).toBeLessThanOrEqual(9000 - 5000);
    expect(clock.armed).toBe(0);
  });

  test('gives each level its part: one that ignores its signal does not cost the next its moment', () => {
    const { services, launcher, clock } = servicesWithFakes([database, app, scraper]);
    launcher.obey('scraper', stubborn);
    launcher.obey('app', stubborn);
    services.startAll();
    void services.shutdown();
    clock.advance(2000);
    expect(launcher.last('scraper').lives).toBe(false);
    expect(launcher.last('app').signals).toEqual(['SIGTERM leader']);
  });

  test('cuts all waits of the database by the same factor, so that SIGQUIT has its time too', () => {
    const slow = {
      ...postgresLadder,
      rungs: postgresLadder.rungs.map((rung) => ({ ...rung, wait: rung.wait * 10 })),
    };
    const { services, launcher, clock } = servicesWithFakes([aService('database', { stop: slow })]);
    launcher.obey('database', stubborn);
    services.startAll();
    void services.shutdown();
    // 8750 ms for waits of 60 s and 20 s: 6562 and 2188.
    clock.advance(6500);
    expect(launcher.last('database').signals).toEqual(['SIGINT leader']);
    clock.advance(100);
    expect(launcher.last('database').signals).toEqual(['SIGINT leader', 'SIGQUIT leader']);
    clock.advance(2150);
    expect(launcher.last('database').signals.at(-1)).toBe('SIGKILL everything');
  });

  test('says who had to be killed', async () => {
    const { services, launcher, clock } = servicesWithFakes(
      [app, aService('other')].map((run) => ({ ...run, dependsOn: {} })),
    );
    launcher.obey('app', stubborn);
    services.startAll();
    const over = services.shutdown();
    clock.advance(9000);
    expect((await over).unclean).toEqual(['app']);
  });

  test('a survivor of the group that had to be killed counts as well', async () => {
    const { services, launcher, clock } = started([aService('app')]);
    launcher.last('app').survivors = stubborn;
    const over = services.shutdown();
    expect(launcher.last('app').signals).toEqual(['SIGTERM leader', 'SIGTERM everything']);
    clock.advance(9000);
    expect((await over).unclean).toEqual(['app']);
  });

  test('what was killed before it began, because its time was up, is no matter of the stop', async () => {
    const { services, launcher, clock, words } = servicesWithFakes([
      app,
      database,
      aTask('job', { startTimeout: 1000, critical: false }),
    ]);
    launcher.obey('job', stubborn);
    services.startAll();
    clock.advance(60_000);
    expect(words().job).toBe('failed');
    expect(launcher.last('job').signals).toContain('SIGKILL everything');
    expect((await services.shutdown()).unclean).toEqual([]);
  });

  test('a program whose plan asks for SIGKILL is stopped clean by it', async () => {
    const stop = { ...termLadder, rungs: [{ signal: 'SIGKILL', wait: 1000 }] as const };
    const { services } = started([aService('app', { stop })]);
    expect((await services.shutdown()).unclean).toEqual([]);
  });

  test('ends with its budget though something cannot be killed, and leaves no timer', async () => {
    const { services, launcher, clock } = servicesWithFakes([aService('app')]);
    launcher.obey('app', unkillable);
    services.startAll();
    const over = services.shutdown();
    clock.advance(9000);
    expect(await over).toEqual({ unclean: ['app'] });
    expect(clock.armed).toBe(0);
  });

  test('is the same stop however often it is asked for', () => {
    const { services } = started([app].map((run) => ({ ...run, dependsOn: {} })));
    expect(services.shutdown()).toBe(services.shutdown());
  });

  test('resolves at once where nothing lives', async () => {
    const { services, clock } = servicesWithFakes([app, database]);
    expect(await services.shutdown()).toEqual({ unclean: [] });
    expect(clock.armed).toBe(0);
  });
});

describe('a stop while not everything is up', () => {
  test('during first boot the running task is stopped by its ladder, and what waits never starts', async () => {
    const importTask = aTask('import', { dependsOn: needs('database'), critical: true });
    const web = aService('app', { dependsOn: needs({ import: 'service_completed_successfully' }) });
    const { services, launcher, words, told } = started([database, importTask, web]);
    expect(words()).toEqual({ database: 'ready', import: 'starting', app: 'waiting' });
    const { unclean } = await services.shutdown();
    expect(unclean).toEqual([]);
    expect(launcher.last('import').signals[0]).toBe('SIGTERM leader');
    expect(launcher.launches).toEqual(['database@1', 'import@1']);
    expect(words()).toEqual({ database: 'stopped', import: 'stopped', app: 'stopped' });
    expect(told.some((line) => line.startsWith('ended'))).toBe(false);
  });

  test('a backoff ends, and nothing is spawned by a crash during the stop', async () => {
    const { services, launcher, clock } = servicesWithFakes([database, app, aService('worker')]);
    launcher.obey('app', stubborn);
    services.startAll();
    launcher.last('worker').exit(1);
    const over = services.shutdown();
    launcher.last('database').exit(2);
    clock.advance(9000);
    await over;
    expect(launcher.launches).toEqual(['database@1', 'worker@1', 'app@1']);
    expect(clock.armed).toBe(0);
  });

  test('a failed run stays failed: its reason is the last thing people read', async () => {
    const { services, launcher, words, reason } = started([
      aTask('setup', { critical: true }),
      aService('app'),
    ]);
    launcher.last('setup').exit(3);
    await services.shutdown();
    expect(words()).toEqual({ setup: 'failed', app: 'stopped' });
    expect(reason('setup')).toBe('failed (exit 3)');
  });

  test('a start is refused, a stop is not', () => {
    const { services, launcher } = servicesWithFakes([aService('app')]);
    launcher.obey('app', stubborn);
    services.startAll();
    void services.shutdown();
    expect(() => services.start(['app'])).toThrow('cannot start app: everything is being stopped');
    expect(() => services.restart(['app'])).toThrow('everything is being stopped');
    services.stop(['app']);
  });

  test('a stop a person asked for before is cut to the budget', async () => {
    const slow = {
      ...termLadder,
      rungs: [
        { signal: 'SIGTERM', wait: 60_000 },
        { signal: 'SIGKILL', wait: 0 },
      ] as const,
    };
    const { services, launcher, clock } = servicesWithFakes([aService('app', { stop: slow })]);
    launcher.obey('app', stubborn);
    services.startAll();
    services.stop(['app']);
    clock.advance(1000);
    const over = services.shutdown();
    clock.advance(8900);
    expect((await over).unclean).toEqual(['app']);
    expect(launcher.living()).toEqual([]);
  });

  test('a check that fails during the stop does not stop the database out of turn', () => {
    const checked = aService('database', { stop: postgresLadder, healthcheck: aCheck });
    const { services, launcher } = servicesWithFakes([checked, app]);
    services.startAll();
    services.checkPassed('database', 1);
    launcher.last('app').survivors = stubborn;
    void services.shutdown();
    services.checkFailed('database', 1, 'no answer');
    expect(launcher.last('database').signals).toEqual([]);
  });
});

describe('a second signal', () => {
  test('kills at once, but asks the database with its next rung', async () => {
    const { services, launcher, clock } = servicesWithFakes([database, aService('app')]);
    launcher.obey('app', stubborn);
    launcher.obey('database', (signal) => signal === 'SIGQUIT');
    services.startAll();
    const over = services.shutdown();
    services.hurry();
    expect(launcher.last('app').signals).toEqual(['SIGTERM leader', 'SIGKILL everything']);
    expect(launcher.last('database').signals).toEqual(['SIGINT leader', 'SIGQUIT leader']);
    expect((await over).unclean).toEqual(['database', 'app']);
    expect(clock.armed).toBe(0);
  });

  test('reaches those whose turn comes later; the database begins gently all the same', () => {
    const { services, launcher } = servicesWithFakes([database, app, scraper]);
    launcher.obey('scraper', stubborn);
    launcher.obey('app', stubborn);
    launcher.obey('database', stubborn);
    services.startAll();
    void services.shutdown();
    services.hurry();
    expect(launcher.last('scraper').signals).toEqual(['SIGTERM leader', 'SIGKILL everything']);
    expect(launcher.last('app').signals).toEqual(['SIGKILL everything']);
    expect(launcher.last('database').signals).toEqual(['SIGINT leader']);
  });

  test('law 23: escalates once; a third changes nothing', () => {
    const { services, launcher } = servicesWithFakes([database]);
    launcher.obey('database', stubborn);
    services.startAll();
    void services.shutdown();
    services.hurry();
    services.hurry();
    expect(launcher.last('database').signals).toEqual(['SIGINT leader', 'SIGQUIT leader']);
  });

  test('means nothing while nothing is being stopped', async () => {
    const { services, launcher } = servicesWithFakes([aService('app')]);
    launcher.obey('app', obedient);
    services.startAll();
    services.hurry();
    expect(launcher.last('app').signals).toEqual([]);
    const over = services.shutdown();
    expect(await isSettled(over)).toBe(true);
  });
});
