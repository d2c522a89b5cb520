import type { Outgoing } from '../post.ts';
import type { Told } from './told.ts';
import { summaryOf } from './words.ts';

/** Said again in time, a firing one does not seem over in between. */
const SPARE_MS = 10 * 60_000;

/** `POST /api/v2/alerts` of Prometheus' Alertmanager; the address is the whole one, with that path. */
export function alertmanager(url: string, told: Told): Outgoing {
  const until = new Date(Date.parse(told.iso) + told.repeat + SPARE_MS).toISOString();
  const body = told.alerts.map((alert) => ({
    labels: {
      alertname: alert.rule,
      severity: alert.severity,
      ...(alert.service === '' ? {} : { service: alert.service }),
      product: told.name,
      instance: told.host,
    },
    annotations: { summary: summaryOf(alert), description: alert.description },
    startsAt: alert.startsAt,
    endsAt: alert.endsAt ?? (told.status === 'test' ? told.iso : until),
    generatorURL: told.url,
  }));
  return {
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}
