import { describe, expect, test } from 'vitest';
import type { Facts } from '../../src/alerts/facts.ts';
import { type Alerts, judge } from '../../src/alerts/machine.ts';
import { measure } from '../../src/alerts/rules.ts';
import { worstOf } from '../../src/alerts/worst.ts';
import { ALERT_RULES, type AlertRule, type RuleName } from '../../src/config/alert-rules.ts';
import { exampleProduct, exampleService } from '../support/product.ts';

const RULES = (['DiskSpace', 'DiskFilling'] as const).map((name: RuleName) => {
  const rule: AlertRule = ALERT_RULES[name];
  return { name, severity: rule.severity, threshold: rule.threshold ?? 0, for: rule.for, keep: rule.keep };
});

const FACTS: Facts = {
  now: 0,
  product: exampleProduct(),
  ends: new Map(),
  lostLines: 0,
  clockStep: 0,
  disk: undefined,
  memory: undefined,
  backups: [],
  sinks: new Map(),
  concurrency: 1,
};

/** One look at a disk of which so much is used. */
function look(before: Alerts, disk: number): Alerts {
  const facts = { ...FACTS, disk };
  const found = new Map(RULES.map(({ name, threshold }) => [name, measure(name, threshold, facts) ?? []]));
  return judge(before, RULES, found, { at: 0, iso: new Date(0).toISOString() });
}

const phases = (alerts: Alerts): Record<string, string> =>
  Object.fromEntries([...alerts].map(([name, { phase }]) => [name, phase]));

describe('the disk', () => {
  test('that fills up is waited for, and /health warns of it meanwhile', () => {
    const alerts = look(new Map(), 88);
    expect(phases(alerts)).toEqual({ DiskFilling: 'pending' });
    expect(worstOf(alerts)).toBe('88 % of the disk of the volume is used');
    expect(worstOf(look(alerts, 70))).toBeUndefined();
  });

  test('that is full is told at once', () => {
    const alerts = look(new Map(), 99.6);
    expect(phases(alerts)).toEqual({ DiskSpace: 'firing', DiskFilling: 'pending' });
    expect(worstOf(alerts)).toMatch(/^alert DiskSpace: /);
    expect(phases(look(alerts, 95)).DiskSpace).toBe('firing');
    expect(phases(look(alerts, 70)).DiskSpace).toBe('resolved');
    expect(worstOf(look(alerts, 70))).toBeUndefined();
  });
});

test('a service is down without a break while it is stopped and started again because it hangs', () => {
  const judged = (['unhealthy', 'stopping', 'backoff', 'starting'] as const).map((status) => {
    const product = { ...exampleProduct(), services: [exampleService('app', { status })] };
    return measure('ServiceDown', 0, { ...FACTS, product })?.map(({ is }) => is);
  });
  expect(judged).toEqual(Array(4).fill(['so']));
});
