import { describe, expect, test } from 'vitest';
import type { Facts } from '../../src/alerts/facts.ts';
import { type Alerts, judge } from '../../src/alerts/machine.ts';
import { measure } from '../../src/alerts/rules.ts';
import { worstOf } from '../../src/alerts/worst.ts';
import { ALERT_RULES, type AlertRule, type RuleName } from '../../src/config/alert-rules.ts';
import type { ServiceStatus } from '../../src/protocol/status.ts';
import { exampleProduct, exampleService } from '../support/product.ts';

const RULES = (['DiskSpace', 'DiskFilling'] as const).map((name: RuleName) => {
  const rule: AlertRule = ALERT_RULES[name];
  return { name, severity: rule.severity, threshold: rule.threshold ?? 0, for: rule.for, keep: rule.keep };
});

const FACTS: Facts = {
  now: 0,
  product: exampleProduct(),
  ends: new Map(),
  lostLines: new Map(),
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

describe('a service', () => {
  const rule: AlertRule = ALERT_RULES.ServiceDown;
  const rules = [
    { name: 'ServiceDown', severity: rule.severity, threshold: 0, for: rule.for, keep: rule.keep },
  ] as const;
  /** Looks every 10 s; the times, in s, at which it is told that it is down. */
  function told(...story: readonly Partial<ServiceStatus>[]): readonly number[] {
    let alerts: Alerts = new Map();
    return story.flatMap((changes, index) => {
      const now = index * 10_000;
      const product = { ...exampleProduct(), services: [exampleService('app', { restarts: 0, ...changes })] };
      const before = alerts.get('ServiceDown/app')?.phase;
      const found = new Map([
        ['ServiceDown', measure('ServiceDown', 0, { ...FACTS, now, product }) ?? []],
      ] as const);
      alerts = judge(alerts, rules, found, { at: now, iso: new Date(now).toISOString() });
      const phase = alerts.get('ServiceDown/app')?.phase;
      return phase === 'firing' && before !== 'firing' ? [now / 1000] : [];
    });
  }
  const well = { status: 'ready', check: check(0) } as const;
  const failing = { status: 'ready', check: check(1) } as const;

  test('is down without a break while it is stopped and started again because it hangs', () => {
    const again = (['unhealthy', 'stopping', 'backoff', 'starting'] as const).map((status) => ({
      status,
      restarts: 1,
    }));
    expect(told(well, ...again, ...again)).toEqual([40]);
  });

  test('that hangs is down since its check began to fail, once the check has given it up', () => {
    const hangs = { status: 'unhealthy', check: check(3), restarts: 1 } as const;
    expect(told(well, failing, failing, failing, hangs, well)).toEqual([40]);
  });

  test('whose check fails now and then, and has not given it up, is not told', () => {
    expect(told(...Array(6).fill(failing), well, ...Array(6).fill(failing))).toEqual([]);
  });

  test('that starts for the first time is given its time; one that never becomes ready is told', () => {
    const starting = { status: 'starting', since: new Date(0).toISOString() } as const;
    expect(told(...Array(5).fill(starting), well)).toEqual([]);
    expect(told(...Array(9).fill(starting))).toEqual([60]);
  });
});

function check(failures: number): NonNullable<ServiceStatus['check']> {
  const lastError = failures === 0 ? undefined : 'no answer within 5s';
  return {
    up: failures < 3,
    failures,
    threshold: 3,
    lastError,
    durationMs: 1,
    at: new Date(0).toISOString(),
  };
}
