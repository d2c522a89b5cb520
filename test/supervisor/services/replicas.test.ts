import { describe, expect, test } from 'vitest';
import type { ServicePlan } from '../../../src/config/plan.ts';
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
