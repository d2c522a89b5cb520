/** What is told in our own words: the body of a webhook, and what a command gets on standard input. */
import { fingerprintOf } from '../machine.ts';
import type { Told, ToldAlert } from './told.ts';
import { byWeight, HELD_BACK, summaryOf } from './words.ts';

/** Version 1: the worst alert in the words at the top, for who wants one; all of them under `alerts`. */
export function messageOf(told: Told): object {
  const alerts = byWeight(told.alerts).map((alert) => describe(alert, told));
  return {
    version: 1,
    status: told.status,
    ...alerts[0],
    name: told.name,
    host: told.host,
    url: told.url,
    ...(told.isLast ? { note: HELD_BACK } : {}),
    alerts,
  };
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
