import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { after, test } from 'node:test';
import { readMetricsPort, serveMetrics } from '../lib/metrics-server.ts';
import { ROUTES, routeOf } from '../lib/routes.ts';
import { ACTIVE_MS, MOST_VISITORS, Visitors } from '../lib/visitors.ts';

const portOf = (server: Server) => (server.address() as AddressInfo).port;

test('every page and route of the site has its label, and whatever else is asked for has one together', () => {
  const app = join(import.meta.dirname, '..', 'app');
  const served = readdirSync(app, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(^|\/)(page|route)\.tsx?$/.test(file))
    .map((file) => `/${relative(app, join(app, dirname(file))).split(sep).join('/')}`);
  assert.deepEqual(served.sort(), [...ROUTES].sort());
  for (const [target, route] of [
    ['/', '/'],
    ['/?q=chat', '/'],
    ['/tools/any-name?x=/', '/tools/[slug]'],
    ['/admin/new', '/admin/new'],
    ['/admin/17', '/admin/[id]'],
    ['/assets/logos/1.webp', '/assets/[kind]/[name]'],
    ['/tools/', 'other'],
    ['/tools/a/b', 'other'],
    ['/wp-login.php', 'other'],
    ['/_next/static/chunks/a.js', '/_next'],
    ['', 'other'],
  ] as const) {
    assert.equal(routeOf(target), route, target);
  }
});

test('a visitor is active for five minutes, is counted once, and there is no end of memory', () => {
  const visitors = new Visitors();
  visitors.saw('10.0.0.1', 'a', 0);
  visitors.saw('10.0.0.2', 'a', 1);
  visitors.saw('10.0.0.1', 'b', 2);
  visitors.saw('10.0.0.1', 'a', 1000);
  assert.equal(visitors.count(1000), 3);
  assert.equal(visitors.count(ACTIVE_MS + 500), 1, 'the one that came again');
  assert.equal(visitors.count(ACTIVE_MS + 1000), 0);
  for (let index = 0; index < MOST_VISITORS + 5; index += 1) visitors.saw(`${index}`, '', 2 * ACTIVE_MS);
  assert.equal(visitors.count(2 * ACTIVE_MS), MOST_VISITORS);
  visitors.saw('again', '', 3 * ACTIVE_MS);
  assert.equal(visitors.count(3 * ACTIVE_MS), 1);
});

test('a port is a number or nothing', () => {
  assert.equal(readMetricsPort('9702'), 9702);
  for (const text of [undefined, '', '0', '-1', 'x', '65536', '1.5']) assert.equal(readMetricsPort(text), undefined);
});

const said: string[] = [];
const metrics = serveMetrics(0, (text) => said.push(text));
await once(metrics, 'listening');
const site = createServer((request, response) => {
  if (request.url === '/tools/hangs') return void response.write('half');
  response.writeHead(request.url === '/tools/broken' ? 500 : 200).end('ok');
});
site.listen(0, '127.0.0.1');
await once(site, 'listening');
after(() => {
  site.closeAllConnections();
  site.close();
  metrics.closeAllConnections();
  metrics.close();
});

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${portOf(site)}${path}`, { headers }).then((answer) => answer.text());
const told = async () => (await fetch(`http://127.0.0.1:${portOf(metrics)}/metrics`)).text();

test('what the site answers is told by route, status and time, and metrics do not count themselves', async () => {
  await ask('/tools/one');
  await ask('/tools/two?x=1', { 'x-forwarded-for': '203.0.113.9, 10.0.0.1' });
  await ask('/tools/broken');
  await ask('/api/health', { 'user-agent': 'probe' });
  await told();
  const left = get(`http://127.0.0.1:${portOf(site)}/tools/hangs`, (answer) => answer.once('data', () => left.destroy()));
  left.on('error', () => {});
  await once(left, 'close');
  let text = await told();
  while (!text.includes('aborted')) text = await told();
  const lines = text.split('\n');
  for (const line of [
    'http_requests_total{route="/tools/[slug]",status="2xx"} 2',
    'http_requests_total{route="/tools/[slug]",status="5xx"} 1',
    'http_requests_total{route="/tools/[slug]",status="aborted"} 1',
    'http_requests_total{route="/api/health",status="2xx"} 1',
    'http_request_duration_seconds_bucket{route="/tools/[slug]",le="+Inf"} 4',
    'http_request_duration_seconds_count{route="/tools/[slug]"} 4',
    // This one, the one behind the proxy, and who hung up: his browser has no name.
    'active_users 3',
  ]) {
    assert.ok(lines.includes(line), `${line}\n${text}`);
  }
  assert.doesNotMatch(text, /metrics"|203\.0\.113|one|two/);
  assert.equal(lines.filter((line) => line.startsWith('http_requests_total')).length, 4);
});

test('it is on the loopback alone, has nothing else to say, and a taken port is no harm', async () => {
  assert.equal((metrics.address() as AddressInfo).address, '127.0.0.1');
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  if (outside) await assert.rejects(fetch(`http://${outside.address}:${portOf(metrics)}/metrics`));
  assert.equal((await fetch(`http://127.0.0.1:${portOf(metrics)}/`)).status, 404);
  assert.equal((await fetch(`http://127.0.0.1:${portOf(metrics)}/metrics`, { method: 'POST' })).status, 404);
  const second = serveMetrics(portOf(metrics), (text) => said.push(text));
  await once(second, 'error');
  assert.match(said.join(), /^no metrics: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  await ask('/');
});
