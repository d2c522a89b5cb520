/** Alerts as text for people. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { AlertsAnswer, AlertView } from '../protocol/alerts.ts';
import { renderTable } from './table.ts';
import { cutText, type Paint, tameLine } from './terminal.ts';

/** `now`: ms since the epoch. */
export function renderAlerts(
  { enabled, alerts, silences, sinks, sinksOff }: AlertsAnswer,
  now: number,
  width: number | undefined,
  paint: Paint,
): string[] {
  if (!enabled) return ['the plan has no alerts; add: alerts: {}'];
  const table =
    alerts.length === 0
      ? ['all is well']
      : renderTable<AlertView>(
          [
            { title: 'ALERT', cell: ({ fingerprint }) => ({ text: cutText(tameLine(fingerprint), 36) }) },
            {
              title: 'STATUS',
              cell: (alert) => ({ text: statusText(alert), tone: alert.status === 'firing' ? 'bad' : 'dim' }),
            },
            { title: 'SEVERITY', from: 'medium', cell: ({ severity }) => ({ text: severity }) },
            {
              title: 'SINCE',
              from: 'medium',
              align: 'right',
              cell: ({ startsAt }) => ({ text: formatDuration(Math.max(0, now - Date.parse(startsAt))) }),
            },
            {
              title: 'WHAT',
              flexible: true,
              cell: ({ description }) => ({ text: tameLine(description), tone: 'dim' }),
            },
          ],
          alerts,
          width,
          paint,
        );
  return [
    ...table,
    ...silences.map(
      ({ alertname, service, until, comment }) =>
        `silent: ${alertname}${service === undefined ? '' : `/${service}`} until ${until.slice(0, 16).replace('T', ' ')} UTC${comment === undefined ? '' : `: ${tameLine(comment)}`}`,
    ),
    ...sinks
      .filter(({ failures }) => failures > 0)
      .map(
        ({ name, failures, lastError = '' }) => `${name} failed ${failures} times: ${tameLine(lastError)}`,
      ),
    ...(sinks.length === 0 ? [nobodyIsTold(sinksOff)] : []),
  ];
}

/** @param off names of sinks without an address */
export function nobodyIsTold(off: readonly string[] = []): string {
  if (off.length === 0) return 'nobody is told: the plan has no sinks';
  return `nobody is told: every sink of the plan is off, for its url is empty: ${off.join(', ')}`;
}

function statusText({ status, silencedUntil, inhibitedBy }: AlertView): string {
  if (silencedUntil !== undefined) return `${status}, silent`;
  return inhibitedBy === undefined ? status : `${status}, not told`;
}
