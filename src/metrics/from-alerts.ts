/** What is wrong, and whether somebody heard of it, as metrics. Pure. */
import type { AlertFigures } from '../protocol/metrics.ts';
import type { Samples } from './samples.ts';

export function addAlerts(to: Samples, { alerts, sinks }: AlertFigures): void {
  for (const { rule, state, count } of alerts) to.add('bulkhead_alerts', count, { alertname: rule, state });
  for (const { name, sent, failed } of sinks) {
    to.add('bulkhead_notifications_total', sent, { sink: name, result: 'sent' });
    to.add('bulkhead_notifications_total', failed, { sink: name, result: 'failed' });
  }
}
