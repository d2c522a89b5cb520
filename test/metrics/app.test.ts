import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { expose } from '../../src/metrics/exposition.ts';
import { addApp, readApp } from '../../src/metrics/from-app.ts';
import { Samples } from '../../src/metrics/samples.ts';
import { readExposition } from '../support/exposition.ts';

async function told(figures: object): Promise<object> {
  const samples = new Samples();
  samples.add('bulkhead_up', 1);
  addApp(samples, figures);
  const { text } = await expose(samples, undefined);
  const { bulkhead_up: _, ...own } = Object.fromEntries(
    [...readExposition(text)].flatMap(([, { series }]) => [...series]),
  );
  return own;
}

test('the app tells its own requests, durations and users', async () => {
  const figures = {
    requests: { '2xx': 10, '5xx': 2 },
    durations: { bounds: [0.1, 1], counts: [9, 2, 1], sum: 3.5 },
    activeUsers: 4,
  };
  expect(await told(figures)).toEqual({
    'bulkhead_app_requests_total{status="2xx"}': 10,
    'bulkhead_app_requests_total{status="5xx"}': 2,
    'bulkhead_app_request_duration_seconds_bucket{le="0.1"}': 9,
    'bulkhead_app_request_duration_seconds_bucket{le="1"}': 11,
    'bulkhead_app_request_duration_seconds_bucket{le="+Inf"}': 12,
    bulkhead_app_request_duration_seconds_sum: 3.5,
    bulkhead_app_request_duration_seconds_count: 12,
    bulkhead_app_active_users: 4,
  });
});

test.each([
  {},
  { requests: { a: 1, '2xx': 'many' }, activeUsers: -1 },
  { requests: [1], durations: { bounds: [1, 1], counts: [1, 1, 1], sum: 1 } },
  { durations: { bounds: [1], counts: [1], sum: 1 }, activeUsers: null },
])('what has another shape is left out: %j', async (figures) => {
  expect(await told(figures)).toEqual({});
});

test('it is asked over http, where it answers with small JSON', async () => {
  const answers: Record<string, string> = {
    '/': '{"activeUsers":1}',
    '/long': `"${'x'.repeat(70_000)}"`,
    '/list': '[]',
  };
  const server = createServer((request, response) => response.end(answers[request.url ?? ''] ?? 'no JSON'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await readApp(`${base}/`)).toEqual({ activeUsers: 1 });
  for (const path of ['/long', '/list', '/text']) await expect(readApp(base + path)).rejects.toThrow();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
