import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Metrics } from '../../docker/app/lib/metrics.ts';
import { expose } from '../../src/metrics/exposition.ts';
import { addApp, readApp } from '../../src/metrics/from-app.ts';
import { Samples } from '../../src/metrics/samples.ts';
import { readExposition } from '../support/exposition.ts';

async function told(figures: string): Promise<Record<string, number>> {
  const samples = new Samples();
  samples.add('bulkhead_up', 1);
  addApp(samples, figures);
  const { text } = await expose(samples, undefined);
  const { bulkhead_up: _, ...own } = Object.fromEntries(
    [...readExposition(text)].flatMap(([, { series }]) => [...series]),
  );
  return own;
}

test('the shipped app tells its requests, durations and users', async () => {
  const app = new Metrics();
  app.count('/tools/[slug]', '2xx', 0.02);
  app.count('/tools/[slug]', '5xx', 20);
  app.count('/', 'aborted', 0.001);
  const found = await told(app.text(4));
  expect(found).toMatchObject({
    'bulkhead_app_requests_total{route="/tools/[slug]",status="2xx"}': 1,
    'bulkhead_app_requests_total{route="/tools/[slug]",status="5xx"}': 1,
    'bulkhead_app_requests_total{route="/",status="aborted"}': 1,
    'bulkhead_app_request_duration_seconds_bucket{route="/tools/[slug]",le="0.01"}': 0,
    'bulkhead_app_request_duration_seconds_bucket{route="/tools/[slug]",le="0.025"}': 1,
    'bulkhead_app_request_duration_seconds_bucket{route="/tools/[slug]",le="10"}': 1,
    'bulkhead_app_request_duration_seconds_bucket{route="/tools/[slug]",le="+Inf"}': 2,
    'bulkhead_app_request_duration_seconds_sum{route="/tools/[slug]"}': 20.02,
    'bulkhead_app_request_duration_seconds_count{route="/"}': 1,
    bulkhead_app_active_users: 4,
  });
  expect(Object.keys(found)).toHaveLength(3 + 2 * 14 + 1);
});

test('so does an app that only has the histogram of a library, by method and status', async () => {
  const figures = `# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1",status_code="200",method="GET",path="/a \\"b\\""} 3
http_request_duration_seconds_bucket{le="+Inf",status_code="200",method="GET",path="/a \\"b\\""} 4 1700000000000
http_request_duration_seconds_bucket{le="0.1",status_code="404",method="POST",path="/a \\"b\\""} 1
http_request_duration_seconds_bucket{le="+Inf",status_code="404",method="POST",path="/a \\"b\\""} 1
http_request_duration_seconds_sum{status_code="200",method="GET",path="/a \\"b\\""} 1.5
http_request_duration_seconds_count{status_code="200",method="GET",path="/a \\"b\\""} 4 # {id="x"} 1
http_request_duration_seconds_count{status_code="404",method="POST",path="/a \\"b\\""} 1
process_cpu_seconds_total 3
`;
  expect(await told(figures)).toEqual({
    'bulkhead_app_requests_total{route="/a \\"b\\"",status="2xx"}': 4,
    'bulkhead_app_requests_total{route="/a \\"b\\"",status="4xx"}': 1,
    'bulkhead_app_request_duration_seconds_bucket{route="/a \\"b\\"",le="0.1"}': 4,
    'bulkhead_app_request_duration_seconds_bucket{route="/a \\"b\\"",le="+Inf"}': 5,
    'bulkhead_app_request_duration_seconds_sum{route="/a \\"b\\""}': 1.5,
    'bulkhead_app_request_duration_seconds_count{route="/a \\"b\\""}': 5,
  });
});

test.each([
  '',
  'http_requests_total{route="/",status="many"} 1',
  'http_requests_total{route="/",status="200"} -1',
  'http_requests_total{route="/",status="200"} NaN',
  'active_users None',
  // No +Inf; not rising.
  'http_request_duration_seconds_bucket{route="/",le="1"} 1',
  'http_request_duration_seconds_bucket{le="1"} 2\nhttp_request_duration_seconds_bucket{le="+Inf"} 1',
])('what has another shape is left out: %j', async (figures) => {
  expect(await told(figures)).toEqual({});
});

test('whatever an app writes, what comes of it can be read, and is bounded', async () => {
  const word = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('200', '5xx', '0.1', '+Inf', '/a'));
  const line = fc
    .tuple(
      fc.constantFrom('http_requests_total', 'http_request_duration_seconds_bucket', 'active_users'),
      fc.array(fc.tuple(fc.constantFrom('route', 'status', 'le', 'x'), word), { maxLength: 4 }),
      fc.oneof(fc.double().map(String), word),
    )
    .map(([name, labels, value]) => {
      const pairs = labels.map(([label, text]) => `${label}=${JSON.stringify(text)}`);
      return `${name}{${pairs.join(',')}} ${value}`;
    });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => void (await told(lines.join('\n')))),
    { numRuns: 200 },
  );
  const many = Array.from({ length: 500 }, (_, n) => `http_requests_total{route="/${n}",status="200"} 1`);
  const found = await told(many.join('\n'));
  expect(Object.keys(found)).toHaveLength(51);
  expect(found['bulkhead_app_requests_total{route="other",status="2xx"}']).toBe(450);
});

test('it is asked over http, where it answers with bounded text', async () => {
  const answers: Record<string, string> = {
    '/': 'active_users 1\n',
    '/long': `# ${'x'.repeat(600_000)}`,
    '/page': '<!doctype html>',
  };
  const server = createServer((request, response) => {
    if (request.url === '/hangs') response.write('active_users 1\n');
    else response.end(answers[request.url ?? ''] ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await told(await readApp(`${base}/`))).toEqual({ bulkhead_app_active_users: 1 });
  for (const path of ['/long', '/page', '/nothing']) await expect(readApp(base + path)).rejects.toThrow();
  await expect(readApp(`${base}/hangs`)).rejects.toThrow('aborted');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(readApp(`${base}/`)).rejects.toThrow('ECONNREFUSED');
});
