/**
 * What becomes of an alert: inactive → pending → firing → resolved. Pure; who is told of it is decided elsewhere.
 *
 * Times `at` are milliseconds of a clock that goes on without steps, so that a set clock neither fires nor ends anything;
 * ISO times are for people only.
 */
import type { RuleName, Severity } from '../config/alert-rules.ts';
import type { RulePlan } from '../config/plan-alerts.ts';

/** What a rule found of one service (of the product: ''). */
export interface Measurement {
  readonly service: string;
  readonly value: number;
  /** It is so; it is well again; neither: between the two nothing changes. */
  readonly is: 'so' | 'well' | 'between';
  readonly description: string;
  /** It counts as so from here on, but is not sure yet: it fires when it is. */
  readonly unsure?: boolean;
  /** It fires however long it must be so: later is too late. */
  readonly atOnce?: boolean;
}

export interface Alert {
  readonly rule: RuleName;
  readonly service: string;
  readonly severity: Severity;
  readonly phase: 'pending' | 'firing' | 'resolved';
  /** Since when it is in this phase. */
  readonly at: number;
  /** Since when it is well again, while it still fires. */
  readonly wellAt?: number;
  /** It fires, but just now it is neither so nor well: who has not heard of it need not. */
  readonly isCalm?: true;
  readonly value: number;
  readonly threshold: number;
  readonly description: string;
  /** ISO 8601; when it began to be so. */
  readonly startsAt: string;
  readonly endsAt?: string;
}

/** By fingerprint. */
export type Alerts = ReadonlyMap<string, Alert>;

export interface Moment {
  readonly at: number;
  /** ISO 8601 */
  readonly iso: string;
}

/** Resolved ones are shown for so long. */
const SHOWN_MS = 24 * 3_600_000;

/** The same alert is the same rule about the same service, and nothing else. */
export function fingerprintOf(rule: string, service: string): string {
  return service === '' ? rule : `${rule}/${service}`;
}

/**
 * One look at the world.
 * @param found of each rule; a rule that is missing could not be judged, and its alerts stay as they are. A service that
 * a judged rule does not speak of is well.
 */
export function judge(
  before: Alerts,
  rules: readonly RulePlan[],
  found: ReadonlyMap<RuleName, readonly Measurement[]>,
  now: Moment,
): Alerts {
  const after = new Map<string, Alert>();
  const timesOf = new Map(rules.map((rule) => [rule.name, rule]));
  const put = (alert: Alert | undefined): void => {
    if (alert) after.set(fingerprintOf(alert.rule, alert.service), alert);
  };
  for (const rule of rules) {
    for (const measured of found.get(rule.name) ?? []) {
      put(step(before.get(fingerprintOf(rule.name, measured.service)), rule, measured, now));
    }
  }
  for (const [fingerprint, alert] of before) {
    if (after.has(fingerprint)) continue;
    const rule = timesOf.get(alert.rule);
    const isJudged = found.has(alert.rule);
    // A rule that was switched off, or a service that is no more: nothing is wrong any longer.
    if (rule === undefined)
      put(step(alert, { ...alert, name: alert.rule, for: 0, keep: 0 }, gone(alert), now));
    else if (isJudged) put(step(alert, rule, gone(alert), now));
    else put(alert.phase === 'resolved' ? age(alert, now) : alert);
  }
  return after;
}

function gone({ service, value, description }: Alert): Measurement {
  return { service, value, is: 'well', description };
}

/** Undefined: inactive. */
function step(
  alert: Alert | undefined,
  rule: RulePlan,
  { service, value, is, description, atOnce = false, unsure = false }: Measurement,
  now: Moment,
): Alert | undefined {
  const told = { severity: rule.severity, threshold: rule.threshold, value, description };
  if (alert === undefined || alert.phase === 'resolved') {
    if (is !== 'so') return alert && age(alert, now);
    const fresh: Alert = {
      rule: rule.name,
      service,
      ...told,
      phase: 'pending',
      at: now.at,
      startsAt: now.iso,
    };
    return (rule.for === 0 || atOnce) && !unsure ? { ...fresh, phase: 'firing' } : fresh;
  }
  if (alert.phase === 'pending') {
    // `for` asks for an unbroken time: between the two is a break too.
    if (is !== 'so') return undefined;
    const isLong = !unsure && (atOnce || now.at - alert.at >= rule.for);
    return isLong ? { ...alert, ...told, phase: 'firing', at: now.at } : { ...alert, ...told };
  }
  const { wellAt, isCalm, ...firing } = alert;
  if (is === 'so') return unsure ? alert : { ...firing, ...told };
  if (is === 'between') return { ...firing, isCalm: true };
  const since = wellAt ?? now.at;
  if (now.at - since >= rule.keep) return { ...firing, phase: 'resolved', at: now.at, endsAt: now.iso };
  return { ...firing, wellAt: since };
}

function age(alert: Alert, now: Moment): Alert | undefined {
  return now.at - alert.at >= SHOWN_MS ? undefined : alert;
}
