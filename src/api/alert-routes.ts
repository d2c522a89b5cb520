/** The routes about what is not well, and who is told of it. */
import { parseDuration } from '../base/duration.ts';
import { RULE_NAMES } from '../config/alert-rules.ts';
import type { AlertsAnswer } from '../protocol/alerts.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { AlertDesk } from './alert-desk.ts';
import { alertList, newSilence, silenceAnswer, testAnswer, testOf } from './alert-schemas.ts';
import { Problem } from './problem.ts';
import type { Answer, ApiRoute, Asked, Served } from './route.ts';

export const ALERT_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/alerts',
    group: 'alerts',
    role: 'viewer',
    summary: 'what is not well, what is silenced, and how it goes with who is told',
    answers: { 200: { what: 'what fires first; what is over, for a day', schema: alertList } },
    run: (_asked, { alerts }) => ({ status: 200, body: alerts?.view() ?? NO_ALERTS }),
  },
  {
    method: 'POST',
    path: '/alerts/test',
    group: 'alerts',
    role: 'operator',
    summary: 'send a test to every sink, and say what came of it',
    body: testOf,
    answers: {
      200: { what: 'of each sink', schema: testAnswer },
      404: { what: 'there is no such sink, or the plan has no alerts' },
    },
    run: testSinks,
  },
  {
    method: 'POST',
    path: '/alerts/silences',
    group: 'alerts',
    role: 'operator',
    summary: 'hear nothing of an alert for a while',
    body: newSilence,
    answers: {
      201: { what: 'the silence', schema: silenceAnswer },
      404: { what: 'the plan has no alerts' },
    },
    run: addSilence,
  },
  {
    method: 'DELETE',
    path: '/alerts/silences/:id',
    group: 'alerts',
    role: 'operator',
    summary: 'end a silence before its time',
    answers: { 204: { what: 'it is ended' }, 404: { what: 'there is none of this id' } },
    run: endSilence,
  },
];

const NO_ALERTS: AlertsAnswer = {
  schemaVersion: SCHEMA_VERSION,
  enabled: false,
  alerts: [],
  silences: [],
  sinks: [],
};

function requireAlerts({ alerts }: Served): AlertDesk {
  if (alerts) return alerts;
  throw new Problem(404, 'no-alerts', 'the plan has no alerts', { remedy: 'add `alerts: {}` to the plan' });
}

async function testSinks({ body }: Asked, served: Served): Promise<Answer> {
  const sink = typeof body.sink === 'string' ? body.sink : undefined;
  const answer = await requireAlerts(served).test(sink);
  if (answer === undefined) throw new Problem(404, 'unknown-sink', `there is no sink ${sink}`);
  return { status: 200, body: answer };
}

const HOUR = 3_600_000;
const LONGEST = 365 * 24 * HOUR;

async function addSilence({ body }: Asked, served: Served): Promise<Answer> {
  const desk = requireAlerts(served);
  const alertname = RULE_NAMES.find((name) => name === body.alertname);
  if (alertname === undefined) throw new Problem(400, 'bad-request', 'alertname is none of the rules');
  const ms = typeof body.for === 'string' ? parseDuration(body.for) : HOUR;
  if (ms === undefined || ms <= 0 || ms > LONGEST)
    throw new Problem(400, 'bad-request', 'for must be a duration such as 1h, and at most 365d');
  const view = await desk.silence({
    alertname,
    service: typeof body.service === 'string' ? body.service : undefined,
    ms,
    comment: typeof body.comment === 'string' ? body.comment : undefined,
  });
  return { status: 201, body: { schemaVersion: SCHEMA_VERSION, ...view } };
}

async function endSilence({ params }: Asked, served: Served): Promise<Answer> {
  const { id = '' } = params;
  if (await requireAlerts(served).unsilence(id)) return { status: 204 };
  throw new Problem(404, 'unknown-silence', `there is no silence ${id}`);
}
