/** What is said of an alert, the same in every kind of message. */
import { ALERT_RULES } from '../../config/alert-rules.ts';
import type { ToldAlert } from './told.ts';

/** "ServiceDown app: a service that the product cannot do without is not ready" */
export function summaryOf({ rule, service }: Pick<ToldAlert, 'rule' | 'service'>): string {
  if (rule === 'Test') return 'Test: somebody tries whether alerts arrive; nothing is wrong';
  return `${rule}${service === '' ? '' : ` ${service}`}: ${ALERT_RULES[rule].what}`;
}

/** Those that are worst come first. */
export function byWeight(alerts: readonly ToldAlert[]): readonly ToldAlert[] {
  return alerts.toSorted((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'));
}

export const HELD_BACK = 'many messages within an hour: what follows is gathered and told later';
