import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Alerts, fingerprintOf, judge, type Measurement } from '../../src/alerts/machine.ts';
import {
  delivered,
  failed,
  forgetOver,
  isFailing,
  MOST_AN_HOUR,
  NEW_SINK,
  nextMessage,
  type SinkState,
} from '../../src/alerts/telling.ts';
import type { RulePlan } from '../../src/config/plan-alerts.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const DOWN: RulePlan = {
  name: 'ServiceDown',
  severity: 'critical',
  threshold: 0,
  for: MINUTE,
  keep: MINUTE,
};
const LOOP: RulePlan = { name: 'CrashLoop', severity: 'critical', threshold: 3, for: 0, keep: 0 };
const RULES = { minSeverity: 'warning', repeat: 4 * HOUR } as const;

const moment = (at: number) => ({ at, iso: new Date(at).toISOString() });
const found = (is: Measurement['is'] | undefined, rule: RulePlan = DOWN, service = 'app') =>
  new Map(is === undefined ? [] : [[rule.name, [{ service, value: 1, is, description: 'x' }]]]);
const phaseOf = (alerts: Alerts, rule = DOWN, service = 'app') =>
  alerts.get(fingerprintOf(rule.name, service))?.phase;

/** One look after the other, ten seconds apart. */
function walk(looks: readonly (Measurement['is'] | undefined)[], rule = DOWN): (string | undefined)[] {
  let alerts: Alerts = new Map();
  return looks.map((is, index) => {
    alerts = judge(alerts, [rule], found(is, rule), moment(index * 10 * SECOND));
    return phaseOf(alerts, rule);
  });
}

describe('an alert', () => {
  test('fires once it was so without a break for long enough, and is over once it is well for long enough', () => {
    const looks = [...Array(8).fill('so'), ...Array(8).fill('well')];
    const phases = walk(looks);
    expect(phases.slice(0, 6)).toEqual(Array(6).fill('pending'));
    expect(phases.slice(6, 14)).toEqual(Array(8).fill('firing'));
    expect(phases.slice(14)).toEqual(Array(2).fill('resolved'));
  });

  test('that flaps never fires, and one that fires is not ended by a flap', () => {
    expect(walk([...Array(5).fill('so'), 'well', ...Array(5).fill('so')])).not.toContain('firing');
    const phases = walk([...Array(7).fill('so'), ...Array(5).fill('well'), 'so', ...Array(5).fill('well')]);
    expect(phases.slice(6)).toEqual(Array(12).fill('firing'));
  });

  test('stays as it is between the two thresholds, and where nobody can tell', () => {
    const between = [...Array(7).fill('so'), ...Array(20).fill('between')];
    expect(walk(between).at(-1)).toBe('firing');
    expect(walk([...Array(7).fill('so'), ...Array(20).fill(undefined)]).at(-1)).toBe('firing');
  });

  test('of a service that is no more is over', () => {
    let alerts = judge(new Map(), [LOOP], found('so', LOOP), moment(0));
    alerts = judge(alerts, [LOOP], new Map([[LOOP.name, []]]), moment(1));
    expect(phaseOf(alerts, LOOP)).toBe('resolved');
    expect(
      phaseOf(judge(judge(new Map(), [LOOP], found('so', LOOP), moment(0)), [], new Map(), moment(1)), LOOP),
    ).toBe('resolved');
  });
});

const looks = fc.array(
  fc.record({
    is: fc.constantFrom('so', 'so', 'well', 'well', 'between', undefined),
    is2: fc.constantFrom('so', 'well', undefined),
    passes: fc.constantFrom(10 * SECOND, 40 * SECOND, 2 * MINUTE, 5 * HOUR),
    arrives: fc.boolean(),
    restarts: fc.boolean(),
    isSilent: fc.boolean(),
  }),
  { maxLength: 60 },
);

test('whatever happens, a sink hears that something is over only after it heard of it, and nothing twice', () => {
  fc.assert(
    fc.property(looks, (steps) => {
      let alerts: Alerts = new Map();
      let sink: SinkState = NEW_SINK;
      let at = 0;
      const heard = new Map<string, number>();
      const sent: number[] = [];
      for (const { is, is2, passes, arrives, restarts, isSilent } of steps) {
        at += passes;
        // A start anew knows what the file kept, and nothing else.
        if (restarts) {
          sink = JSON.parse(JSON.stringify(sink));
          alerts = new Map(JSON.parse(JSON.stringify([...alerts])));
        }
        const measured = new Map([...found(is), ...found(is2, LOOP, 'web')]);
        alerts = judge(alerts, [DOWN, LOOP], measured, moment(at));
        const silences = isSilent
          ? [{ id: '1', rule: 'CrashLoop' as const, until: at + MINUTE, untilIso: '' }]
          : [];
        const message = nextMessage(sink, RULES, alerts, silences, moment(at));
        if (message === undefined) continue;
        if (!arrives) {
          sink = failed(sink, 'x', at, 0.5, undefined);
          continue;
        }
        sent.push(at);
        for (const { rule, service, phase } of message.alerts) {
          const fingerprint = fingerprintOf(rule, service);
          const last = heard.get(fingerprint);
          if (message.status === 'firing') {
            expect(phase).toBe('firing');
            expect(last === undefined || at - last >= RULES.repeat).toBe(true);
            expect(isSilent && rule === 'CrashLoop').toBe(false);
            heard.set(fingerprint, at);
          } else {
            expect(last).toBeDefined();
            expect(alerts.get(fingerprint)?.phase).not.toBe('firing');
            heard.delete(fingerprint);
          }
        }
        sink = delivered(sink, message, moment(at));
        expect(sent.filter((time) => time > at - HOUR).length).toBeLessThanOrEqual(MOST_AN_HOUR);
      }
    }),
    { numRuns: 500 },
  );
});

describe('a sink', () => {
  const fire = (...rules: RulePlan[]) =>
    judge(
      new Map(),
      rules,
      new Map(rules.map((rule) => [rule.name, [{ service: 'app', value: 1, is: 'so', description: '' }]])),
      moment(0),
    );
  const at0 = (rule: RulePlan): RulePlan => ({ ...rule, for: 0 });

  test('hears in one message what fires within ten seconds', () => {
    const alerts = fire(LOOP, { ...LOOP, name: 'StoreVolatile' });
    expect(nextMessage(NEW_SINK, RULES, alerts, [], moment(9 * SECOND))).toBeUndefined();
    expect(nextMessage(NEW_SINK, RULES, alerts, [], moment(10 * SECOND))?.alerts).toHaveLength(2);
  });

  test('hears of a service that is down, not of what else is wrong with it', () => {
    const message = nextMessage(NEW_SINK, RULES, fire(at0(DOWN), LOOP), [], moment(10 * SECOND));
    expect(message?.alerts.map(({ rule }) => rule)).toEqual(['ServiceDown']);
  });

  test('that only wants what is critical hears no warning; one that takes no good news forgets it', () => {
    const warning = fire({ ...LOOP, severity: 'warning' });
    expect(
      nextMessage(NEW_SINK, { ...RULES, minSeverity: 'critical' }, warning, [], moment(MINUTE)),
    ).toBeUndefined();
    const rules = { ...RULES, firingOnly: true };
    const alerts = fire(LOOP);
    const message = nextMessage(NEW_SINK, rules, alerts, [], moment(MINUTE));
    const told = message && delivered(NEW_SINK, message, moment(MINUTE));
    const over = judge(alerts, [LOOP], found('well', LOOP), moment(2 * MINUTE));
    expect(told && nextMessage(told, rules, over, [], moment(2 * MINUTE))).toBeUndefined();
    expect(told && forgetOver(told, over).told).toEqual({});
  });

  test('hears at most so many messages an hour, and then all that is left in one', () => {
    let sink = NEW_SINK;
    let alerts: Alerts = new Map();
    let count = 0;
    for (let at = 0; at < HOUR; at += 10 * SECOND) {
      alerts = judge(alerts, [LOOP], found((at / 10_000) % 4 < 2 ? 'so' : 'well', LOOP), moment(at));
      const message = nextMessage(sink, RULES, alerts, [], moment(at));
      if (message === undefined) continue;
      count += 1;
      expect(message.isLast).toBe(count === MOST_AN_HOUR);
      sink = delivered(sink, message, moment(at));
    }
    expect(count).toBe(MOST_AN_HOUR);
    alerts = judge(alerts, [LOOP], found('so', LOOP), moment(2 * HOUR));
    expect(nextMessage(sink, RULES, alerts, [], moment(2 * HOUR + MINUTE))).toBeDefined();
  });

  test('that does not answer is tried again later and later, not before it allows, and is failing after five retries', () => {
    let sink = NEW_SINK;
    const waits: number[] = [];
    for (let failures = 0; failures < 7; failures += 1) {
      expect(isFailing(sink)).toBe(failures > 5);
      sink = failed(sink, 'no', 0, 1, undefined);
      waits.push(sink.retryAt / SECOND);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 300, 300]);
    expect(failed(NEW_SINK, 'no', 0, 1, 45 * SECOND).retryAt).toBe(45 * SECOND);
    expect(failed(NEW_SINK, 'no', 0, 0, undefined).retryAt).toBe(SECOND);
  });
});
