import { randomUUID } from 'node:crypto';
import { VERSION } from '../../base/version.ts';
import { fingerprintOf } from '../machine.ts';
import type { Outgoing } from '../post.ts';
import type { Told } from './told.ts';
import { byWeight, summaryOf } from './words.ts';

/**
 * An envelope with one event, of the worst alert: `https://KEY@HOST/PATH/PROJECT` is written to
 * `https://HOST/PATH/api/PROJECT/envelope/`. Events of one fingerprint are one issue there.
 */
export function sentry(dsn: string, told: Told): Outgoing {
  const { username: key, protocol, host, pathname } = new URL(dsn);
  const [, path = '', project = ''] = /^(.*)\/(\d+)$/.exec(pathname) ?? [];
  const id = randomUUID().replaceAll('-', '');
  const [worst] = byWeight(told.alerts);
  const event = {
    event_id: id,
    timestamp: told.iso,
    platform: 'other',
    logger: 'bulkhead',
    level: worst?.severity === 'critical' ? 'error' : 'warning',
    server_name: told.host,
    release: `bulkhead@${VERSION}`,
    message: { formatted: worst ? `${summaryOf(worst)}. ${worst.description}` : 'a test' },
    tags: { product: told.name, alertname: worst?.rule, service: worst?.service, status: told.status },
    fingerprint: ['bulkhead', worst ? fingerprintOf(worst.rule, worst.service) : 'test'],
    extra: {
      alerts: told.alerts.map((alert) => `${summaryOf(alert)}. ${alert.description}`),
      logs: told.logs.get(worst?.service ?? '') ?? [],
    },
  };
  const item = JSON.stringify(event);
  const lines = [
    JSON.stringify({ event_id: id, sent_at: told.iso }),
    JSON.stringify({ type: 'event', content_type: 'application/json', length: Buffer.byteLength(item) }),
    item,
  ];
  return {
    url: `${protocol}//${host}${path}/api/${project}/envelope/`,
    method: 'POST',
    headers: {
      'content-type': 'application/x-sentry-envelope',
      'x-sentry-auth': `Sentry sentry_version=7, sentry_client=bulkhead/${VERSION}, sentry_key=${key}`,
    },
    body: `${lines.join('\n')}\n`,
  };
}
