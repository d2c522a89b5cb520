import { createHmac } from 'node:crypto';
import { fingerprintOf } from '../machine.ts';
import type { Outgoing } from '../post.ts';
import type { Told, ToldAlert } from './told.ts';
import { byWeight, HELD_BACK, summaryOf } from './words.ts';

/**
 * Our own JSON, version 1: the worst alert in the words at the top, for who wants one; all of them under `alerts`. Signed
 * over the bytes of the body, as GitHub does.
 */
export function webhook(url: string, secret: string | undefined, told: Told): Outgoing {
  const alerts = byWeight(told.alerts).map((alert) => describe(alert, told));
  const body = JSON.stringify({
    version: 1,
    status: told.status,
    ...alerts[0],
    name: told.name,
    host: told.host,
    url: told.url,
    ...(told.isLast ? { note: HELD_BACK } : {}),
    alerts,
  });
  return {
    url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(secret === undefined ? {} : { 'x-bulkhead-signature': sign(body, secret) }),
    },
    body,
  };
}

function sign(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function describe(alert: ToldAlert, { logs }: Told): object {
  const { rule, service, severity, description, value, threshold, startsAt, endsAt } = alert;
  return {
    alertname: rule,
    severity,
    service,
    summary: summaryOf(alert),
    description,
    value,
    threshold,
    startsAt,
    endsAt: endsAt ?? null,
    fingerprint: fingerprintOf(rule, service),
    logs: logs.get(service) ?? [],
  };
}
