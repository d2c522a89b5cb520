/** JSON schemas of alerts: the shapes of protocol/alerts.ts. */
import { RULE_NAMES } from '../config/alert-rules.ts';
import type { JsonSchema } from './route.ts';
import { count, list, object, strict, text, time, version, yes } from './schemas.ts';

const alertname: JsonSchema = { enum: RULE_NAMES };
const service: JsonSchema = { type: 'string', minLength: 1, maxLength: 200 };

const alert = object(
  {
    alertname,
    service: { ...text, description: 'the service, schedule or sink it is about; none: the product' },
    severity: { enum: ['warning', 'critical'] },
    status: { enum: ['pending', 'firing', 'resolved'] },
    fingerprint: text,
    summary: text,
    description: text,
    value: { type: 'number' },
    threshold: { type: 'number' },
    startsAt: time,
    endsAt: time,
    silencedUntil: time,
    inhibitedBy: { ...text, description: 'the fingerprint of the alert that says it already' },
  },
  ['alertname', 'severity', 'status', 'fingerprint', 'summary', 'description', 'startsAt'],
);
const silence = object({ id: text, alertname, service: text, until: time, comment: text }, [
  'id',
  'alertname',
  'until',
]);
const sink = object({ name: text, type: text, lastSuccess: time, failures: count, lastError: text }, [
  'name',
  'type',
  'failures',
]);

const sinksOff = { ...list(text), description: 'names of those that are off, for their address is empty' };

export const alertList = object(
  {
    schemaVersion: version,
    enabled: { ...yes, description: 'false: the plan has no alerts' },
    alerts: list(alert),
    silences: list(silence),
    sinks: list(sink),
    sinksOff,
  },
  ['schemaVersion', 'enabled', 'alerts', 'silences', 'sinks'],
);
export const testOf = strict({ sink: { ...text, description: 'only this one; without it, all' } });
export const testAnswer = object(
  {
    schemaVersion: version,
    results: list(object({ sink: text, ok: yes, error: text }, ['sink', 'ok'])),
    sinksOff,
  },
  ['schemaVersion', 'results'],
);
export const newSilence: JsonSchema = {
  ...strict({
    alertname,
    service: { ...service, description: 'only of this service' },
    for: { ...text, description: 'how long: 30m, 2h, 1d (1h)' },
    comment: { type: 'string', maxLength: 500, description: 'why' },
  }),
  required: ['alertname'],
};
export const silenceAnswer: JsonSchema = {
  allOf: [object({ schemaVersion: version }, ['schemaVersion']), silence],
};
