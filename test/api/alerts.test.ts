import { afterEach, expect, test } from 'vitest';
import type { AlertDesk } from '../../src/api/alert-desk.ts';
import { type ApiTrial, apiTrial, BEARER, JSON_TYPE } from '../support/api.ts';

let trial: ApiTrial;
afterEach(() => trial.app.close());

const headers = { ...BEARER, ...JSON_TYPE };
const asked: unknown[] = [];
const desk: AlertDesk = {
  view: () => ({ schemaVersion: 1, enabled: true, alerts: [], silences: [], sinks: [] }),
  test: async (sink) => (sink === 'nobody' ? undefined : { schemaVersion: 1, results: [] }),
  silence: async (silence) => {
    asked.push(silence);
    return { id: 'x1', alertname: silence.alertname, until: '2026-01-01T02:00:00.000Z' };
  },
  unsilence: async (id) => id === 'x1',
};

test('alerts are shown, tried and silenced', async () => {
  trial = apiTrial({ alerts: desk });
  const { app } = trial;
  const silence = (payload: object) =>
    app.inject({ method: 'POST', url: '/alerts/silences', payload, headers });
  expect((await app.inject({ url: '/alerts', headers })).json()).toMatchObject({ enabled: true });
  const made = await silence({ alertname: 'ServiceDown', service: 'app', for: '2h' });
  expect([made.statusCode, made.json()]).toEqual([
    201,
    expect.objectContaining({ id: 'x1', schemaVersion: 1 }),
  ]);
  expect(asked).toEqual([{ alertname: 'ServiceDown', service: 'app', ms: 7_200_000, comment: undefined }]);
  for (const wrong of [
    {},
    { alertname: 'Nothing' },
    { alertname: 'LogDrops', for: 'ever' },
    { alertname: 'LogDrops', for: '0' },
  ])
    expect((await silence(wrong)).statusCode, JSON.stringify(wrong)).toBe(400);
  const tried = (sink: string) =>
    app.inject({ method: 'POST', url: '/alerts/test', payload: { sink }, headers });
  expect([(await tried('ops')).statusCode, (await tried('nobody')).statusCode]).toEqual([200, 404]);
  const end = (id: string) => app.inject({ method: 'DELETE', url: `/alerts/silences/${id}`, headers });
  expect([(await end('x1')).statusCode, (await end('x2')).statusCode]).toEqual([204, 404]);
});

test('a plan without alerts says so', async () => {
  trial = apiTrial();
  expect((await trial.app.inject({ url: '/alerts', headers })).json()).toMatchObject({ enabled: false });
  const tried = await trial.app.inject({ method: 'POST', url: '/alerts/test', payload: {}, headers });
  expect([tried.statusCode, tried.json().code]).toEqual([404, 'no-alerts']);
});
