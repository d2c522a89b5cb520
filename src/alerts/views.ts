/** Alerts as people are shown them. Pure. */
import type { AlertsPlan, SinkPlan } from '../config/plan-alerts.ts';
import type { AlertView, SilenceView, SinkView } from '../protocol/alerts.ts';
import type { AlertFigures } from '../protocol/metrics.ts';
import { type Alert, type Alerts, fingerprintOf } from './machine.ts';
import { summaryOf } from './sinks/words.ts';
import { inhibitorOf, type Silence, type SinkState, silenceOf } from './telling.ts';

const ORDER: Readonly<Record<Alert['phase'], number>> = { firing: 0, pending: 1, resolved: 2 };

/** What fires first, the newest of each first. */
export function viewAlerts(alerts: Alerts, silences: readonly Silence[], at: number): readonly AlertView[] {
  return [...alerts.values()]
    .toSorted((a, b) => ORDER[a.phase] - ORDER[b.phase] || b.at - a.at)
    .map((alert) => {
      const { rule, service, severity, phase, description, value, threshold, startsAt, endsAt } = alert;
      const silence = silenceOf(alert, silences, at);
      const inhibitor = phase === 'resolved' ? undefined : inhibitorOf(alert, alerts);
      return {
        alertname: rule,
        ...(service === '' ? {} : { service }),
        severity,
        status: phase,
        fingerprint: fingerprintOf(rule, service),
        summary: summaryOf(alert),
        description,
        value,
        threshold,
        startsAt,
        ...(endsAt === undefined ? {} : { endsAt }),
        ...(silence === undefined ? {} : { silencedUntil: silence.untilIso }),
        ...(inhibitor === undefined ? {} : { inhibitedBy: fingerprintOf(inhibitor.rule, inhibitor.service) }),
      };
    });
}

/** By rule and state, for whoever draws curves. */
export function countAlerts({ rules }: AlertsPlan, alerts: Alerts): AlertFigures['alerts'] {
  const all = [...alerts.values()];
  return rules.flatMap(({ name }) =>
    (['pending', 'firing'] as const).map((state) => ({
      rule: name,
      state,
      count: all.filter(({ rule, phase }) => rule === name && phase === state).length,
    })),
  );
}

export function viewSilence({ id, rule, service, untilIso, comment }: Silence): SilenceView {
  return {
    id,
    alertname: rule,
    ...(service === undefined ? {} : { service }),
    until: untilIso,
    ...(comment === undefined ? {} : { comment }),
  };
}

export function viewSink({ name, type }: SinkPlan, state: SinkState | undefined): SinkView {
  const { failures = 0, lastSuccess, lastError } = state ?? {};
  return {
    name,
    type,
    failures,
    ...(lastSuccess === undefined ? {} : { lastSuccess }),
    ...(failures === 0 || lastError === undefined ? {} : { lastError }),
  };
}
