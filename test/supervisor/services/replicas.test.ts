import { describe, expect, test } from 'vitest';
import type { ServicePlan } from '../../../src/config/plan-runs.ts';
import { aService, needs } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const replica = (number: number, changes: Partial<ServicePlan> = {}) =>
  aService(`web-${number}`, { replicaOf: 'web', ...changes });
const onceOnly = { ...aService('x').restart, giveUp: { limit: 0, window: 120_000 } };

describe('replicas', () => {
  test('a critical one that gives up ends nothing while another is up, and is tried again slowly', () => {
    const critical = { critical: true, restart: onceOnly };
    const { services, launcher, clock, words, told } = servicesWithFakes([
      replica(1, critical),
      replica(2, critical),
    ]);
    services.startAll();
    launcher.last('web-2').exit(1);
    expect(words()).toEqual({ 'web-1': 'ready', 'web-2': 'failed' });
    expect(told.some((line) => line.startsWith('ended'))).toBe(false);
    clock.advance(600_000);
    expect(words()).toEqual({ 'web-1': 'ready', 'web-2': 'ready' });
  });

  test('the last critical one that gives up ends the container', () => {
    const critical = { critical: true, restart: onceOnly };
    const { services, launcher, told } = servicesWithFakes([replica(1, critical), replica(2, critical)]);
    services.startAll();
    launcher.last('web-2').exit(1);
    launcher.last('web-1').exit(1);
    expect(told.at(-1)).toBe('ended criticalGaveUp web-1: crashed (exit 1)');
  });

  test('with on_unhealthy exit one ends the container only when no other is up', () => {
    const exits = { critical: true, onUnhealthy: 'exit' as const };
    const { services, told } = servicesWithFakes([replica(1, exits), replica(2, exits)]);
    services.startAll();
    services.checkFailed('web-1', 1, 'HTTP 500');
    expect(told.some((line) => line.startsWith('ended'))).toBe(false);
    services.stop(['web-2']);
    services.checkPassed('web-1', 1);
    services.checkFailed('web-1', 1, 'HTTP 500');
    expect(told.filter((line) => line.startsWith('ended'))).toEqual([
      'ended criticalUnhealthy web-1: HTTP 500',
    ]);
  });

  test('say of what they are a replica', () => {
    const { services } = servicesWithFakes([replica(1), aService('other')]);
    expect(services.status('web-1')).toMatchObject({ replicaOf: 'web' });
    expect(services.status('other')).not.toHaveProperty('replicaOf');
  });

  test('more of them start beside the others, in the order of the plan; fewer stop the last', () => {
    const proxy = (...names: string[]) =>
      aService('proxy', { dependsOn: Object.assign({}, ...names.map((name) => needs(name))) });
    const { services, launcher, words } = servicesWithFakes([replica(1), proxy('web-1')]);
    services.startAll();
    const more = [replica(1), replica(2), replica(3), proxy('web-1', 'web-2', 'web-3')];
    expect(services.applyPlan(more).map(({ service, action }) => `${action} ${service}`)).toEqual([
      'start web-2',
      'start web-3',
      'update proxy',
    ]);
    expect(Object.entries(words()).flat()).toEqual(
      ['web-1', 'web-2', 'web-3', 'proxy'].flatMap((name) => [name, 'ready']),
    );
    services.applyPlan([replica(1), proxy('web-1')]);
    expect(words()).toEqual({ 'web-1': 'ready', proxy: 'ready' });
    expect(launcher.launches).toEqual(['web-1@1', 'proxy@1', 'web-2@1', 'web-3@1']);
  });

  test('all stop at the same time, after those who depend on them', async () => {
    const { services, told } = servicesWithFakes([
      replica(1),
      replica(2),
      aService('proxy', { dependsOn: { ...needs('web-1'), ...needs('web-2') } }),
    ]);
    services.startAll();
    await services.shutdown();
    expect(told.filter((line) => line.startsWith('exited'))).toEqual([
      'exited proxy@1 SIGTERM asked',
      'exited web-1@1 SIGTERM asked',
      'exited web-2@1 SIGTERM asked',
    ]);
  });
});

describe('a new plan for replicas', () => {
  const next = (number: number, changes: Partial<ServicePlan> = {}) =>
    replica(number, { environment: { MODE: 'new' }, ...changes });
  const word = { ready: { kind: 'fd', fd: 4 } } as const;
  const modeOf = (run: { readonly environment: Readonly<Record<string, unknown>> }) => run.environment.MODE;

  function running(changes: Partial<ServicePlan> = {}) {
    const world = servicesWithFakes([replica(1, changes), replica(2, changes), replica(3, changes)]);
    world.services.startAll();
    for (const process of world.launcher.living()) process.ready();
    return world;
  }
  const launches = ({ launcher }: ReturnType<typeof running>) => launcher.launches.slice(3);

  test('restarts one after the other, each when the one before it is ready', () => {
    const world = running(word);
    const changes = world.services.applyPlan([next(1, word), next(2, word), next(3, word)]);
    expect(changes.map(({ service, action }) => `${action} ${service}`)).toEqual([
      'restart web-1',
      'restart web-2',
      'restart web-3',
    ]);
    expect(world.words()).toEqual({ 'web-1': 'starting', 'web-2': 'ready', 'web-3': 'ready' });
    world.clock.advance(60_000);
    expect(launches(world)).toEqual(['web-1@2']);
    world.launcher.last('web-1').ready();
    expect(world.words()).toEqual({ 'web-1': 'ready', 'web-2': 'starting', 'web-3': 'ready' });
    world.launcher.last('web-2').ready();
    world.launcher.last('web-3').ready();
    expect(launches(world)).toEqual(['web-1@2', 'web-2@2', 'web-3@2']);
    expect(['web-1', 'web-2', 'web-3'].map((name) => modeOf(world.launcher.last(name).run))).toEqual([
      'new',
      'new',
      'new',
    ]);
    expect(world.told.some((line) => line.startsWith('halted'))).toBe(false);
  });

  test('gives one whose start alone says ready a moment to prove it', () => {
    const world = running();
    world.services.applyPlan([next(1), next(2), next(3)]);
    world.clock.advance(999);
    expect(launches(world)).toEqual(['web-1@2']);
    world.clock.advance(1);
    expect(launches(world)).toEqual(['web-1@2', 'web-2@2']);
    world.launcher.last('web-2').exit(1);
    world.clock.advance(600_000);
    expect(world.launcher.last('web-3').generation).toBe(1);
  });

  test('stops at the first that is not ready: the others go on with what they had, and the next reload begins with them', () => {
    const world = running(word);
    world.services.applyPlan([next(1, word), next(2, word), next(3, word)]);
    world.launcher.last('web-1').exit(1);
    expect(world.told.filter((line) => line.startsWith('halted'))).toEqual([
      expect.stringMatching(/^halted web: web-1 is backoff \(crashed \(exit 1\).*\); left web-2 web-3$/),
    ]);
    world.clock.advance(1000);
    world.launcher.last('web-1').ready();
    world.clock.advance(60_000);
    expect(world.words()).toEqual({ 'web-1': 'ready', 'web-2': 'ready', 'web-3': 'ready' });
    world.launcher.last('web-3').exit(1);
    expect(modeOf(world.launcher.last('web-3').run)).toBeUndefined();
    world.launcher.last('web-3').ready();
    const again = [next(1, word), next(2, word), next(3, word)];
    expect(world.services.changesTo(again).map(({ service }) => service)).toEqual(['web-2', 'web-3']);
    world.services.applyPlan(again);
    world.launcher.last('web-2').ready();
    world.launcher.last('web-3').ready();
    expect(world.services.changesTo(again)).toEqual([]);
    expect(world.launcher.violations).toEqual([]);
  });

  test('passes over one that a person has stopped, and ends when the one whose turn it is is stopped', () => {
    const world = running(word);
    world.services.stop(['web-1']);
    world.services.applyPlan([next(1, word), next(2, word), next(3, word)]);
    expect(launches(world)).toEqual(['web-2@2']);
    world.services.stop(['web-2']);
    expect(world.told.at(-1)).toMatch(/^halted web: web-2 is stopped/);
    world.services.start(['web-1']);
    expect(modeOf(world.launcher.last('web-1').run)).toBe('new');
    expect(world.launcher.last('web-3').generation).toBe(1);
  });

  test('one replica, or a shutdown, needs no turn', async () => {
    const alone = servicesWithFakes([replica(1, word)]);
    alone.services.startAll();
    alone.services.applyPlan([next(1, word)]);
    expect(alone.launcher.launches).toEqual(['web-1@1', 'web-1@2']);
    const world = running();
    world.services.applyPlan([next(1), next(2), next(3)]);
    const over = world.services.shutdown();
    world.clock.advance(9000);
    await over;
    expect(launches(world)).toEqual(['web-1@2']);
    expect(world.clock.armed).toBe(0);
  });
});
