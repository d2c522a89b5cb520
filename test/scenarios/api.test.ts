import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScheduleRunAnswer } from '../../src/protocol/schedules.ts';
import { readExposition } from '../support/exposition.ts';
import { type Supervisor, startSupervisor } from '../support/supervisor.ts';

let bulkhead: Supervisor;
let token: string;
/** As the app would tell it. */
const figures = createServer((_request, response) => {
  response.end('http_requests_total{route="/",status="2xx"} 7\nactive_users 2\n');
});

beforeAll(async () => {
  await new Promise<void>((resolve) => figures.listen(0, '127.0.0.1', resolve));
  const { port } = figures.address() as AddressInfo;
  bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app: { command: [sleep, "1000"] }
queue: { store: memory, user: nobody }
api: { user: nobody }
metrics: { app: "http://127.0.0.1:${port}/metrics" }
jobs:
  echo:
    user: nobody
    command: [sh, -c, 'read -r line; echo "read $$line"; printf "%s\\n" "{\\"type\\":\\"result\\",\\"value\\":$$line}" >&3']
  long: { user: nobody, command: [sleep, "1000"] }
schedules:
  nightly: { cron: "0 0 1 1 *", job: echo, data: { by: clock } }
`,
  });
  await bulkhead.ready();
  expect((await bulkhead.run('wait', 'api', '--timeout', '30s')).code).toBe(0);
  token = readFileSync(join(bulkhead.dataDir, 'secrets', 'token'), 'utf8').trim();
});
afterAll(async () => {
  await bulkhead[Symbol.asyncDispose]();
  await new Promise((resolve) => figures.close(resolve));
});

function ask(method: string, path: string, more: { body?: object; headers?: Record<string, string> } = {}) {
  return fetch(`http://127.0.0.1:${bulkhead.apiPort}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      connection: 'close',
      ...more.headers,
    },
    ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
  });
}

async function pidOf(service: string): Promise<number> {
  const { services } = await bulkhead.status();
  const pid = services.find(({ name }) => name === service)?.pid;
  if (pid === undefined) throw new Error(`${service} does not run`);
  return pid;
}

test('a job that is asked for by command runs, and its end is the command’s', async () => {
  const { code, stdout } = await bulkhead.run('job', 'run', 'echo', '--data', '{"tool":7}', '--wait');
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^echo \w{8} completed after .*\n\{.*"data":\{"tool":7\}\}\n$/),
  ]);
  const short = stdout.slice(5, 13);
  expect((await bulkhead.run('logs', 'echo', '--job', short, '--no-prefix')).stdout).toMatch(
    /^read \{.*"tool":7/,
  );
  expect((await bulkhead.run('job', 'show', short)).stdout).toContain(`echo ${short}  completed`);
  expect((await bulkhead.run('job', 'run', 'ech')).code).toBe(4);
});

test('what the product does can be drawn as curves, in both formats of Prometheus', async () => {
  const scrape = async (accept: string) => {
    const answer = await ask('GET', '/metrics', { headers: { accept } });
    expect(answer.status).toBe(200);
    return answer.text();
  };
  const text = await scrape('text/plain');
  const series = new Map([...readExposition(text)].flatMap(([, family]) => [...family.series]));
  expect(Object.fromEntries(series)).toMatchObject({
    bulkhead_up: 1,
    bulkhead_ready: 1,
    'bulkhead_service_state{service="app",state="ready"}': 1,
    'bulkhead_service_processes{service="app"}': 1,
    'bulkhead_service_restarts_total{service="app"}': 0,
    'bulkhead_source_up{source="jobs"}': 1,
    'bulkhead_source_up{source="app"}': 1,
    'bulkhead_app_requests_total{route="/",status="2xx"}': 7,
    bulkhead_app_active_users: 2,
    'bulkhead_jobs{queue="echo",state="completed"}': 1,
    'bulkhead_jobs_finished_total{type="echo",result="completed"}': 1,
    'bulkhead_job_duration_seconds_count{type="echo"}': 1,
    'bulkhead_schedule_missed_total{schedule="nightly"}': 0,
  });
  expect(series.get('bulkhead_service_resident_memory_bytes{service="api"}')).toBeGreaterThan(5e6);
  expect(series.get('bulkhead_service_cpu_seconds_total{service="worker"}')).toBeGreaterThan(0);
  expect(series.get('bulkhead_log_lines_total{service="echo"}')).toBe(1);
  readExposition(await scrape('application/openmetrics-text; version=1.0.0'), true);
  const { pid } = await bulkhead.status();
  expect(text).not.toMatch(new RegExp(`"${pid}"|[0-9a-f]{8}-[0-9a-f]{4}`));
});

test('a job that is asked for over HTTP runs, once for its key', async () => {
  const headers = { 'idempotency-key': 'once' };
  const first = await ask('POST', '/jobs/echo', { body: { data: 1 }, headers });
  expect(first.status).toBe(202);
  expect(first.headers.get('x-bulkhead-durability')).toMatch(/^(journaled|volatile)$/);
  const location = first.headers.get('location') ?? '';
  const { id } = (await first.json()) as { id: string };
  expect((await bulkhead.run('job', 'watch', id)).code).toBe(0);
  expect(await (await ask('GET', location)).json()).toMatchObject({
    id,
    state: 'completed',
    result: { data: 1 },
  });
  expect((await ask('POST', '/jobs/echo', { body: { data: 1 }, headers })).status).toBe(200);
});

test('a schedule that adds a job does so when asked, and says which', async () => {
  const response = await ask('POST', '/jobs/nightly');
  expect(response.status).toBe(202);
  // Its end is the job's, which may be there by now.
  const { name, doing, end } = (await response.json()) as ScheduleRunAnswer;
  expect(name).toBe('nightly');
  expect(doing ?? end?.reason).toMatch(/^(added echo \w{8}|echo \w{8} is done)$/);
});

test('a job that runs is stopped with all its processes when it is cancelled', async () => {
  const { id } = (await (await ask('POST', '/jobs/long')).json()) as { id: string };
  let state = '';
  while (state !== 'active')
    state = ((await (await ask('GET', `/jobs/${id}`)).json()) as { state: string }).state;
  expect((await ask('POST', `/jobs/${id}/cancel`)).status).toBe(202);
  expect((await bulkhead.run('job', 'watch', id)).code).toBe(1);
  expect((await (await ask('GET', `/jobs/${id}`)).json()) as object).toMatchObject({ state: 'cancelled' });
  expect((await ask('POST', `/jobs/${id}/cancel`)).status).toBe(409);
});

test('the worker’s death is no more than a moment', async () => {
  process.kill(await pidOf('worker'), 'SIGKILL');
  await bulkhead.says('worker ended: SIGKILL');
  while ((await bulkhead.run('job', 'status')).code === 7);
  expect((await bulkhead.run('job', 'run', 'echo', '--wait')).code).toBe(0);
});

test('who comes through a proxy needs the token, and the token is in no log and no command line', async () => {
  const stranger = { authorization: '', 'x-forwarded-for': '192.0.2.1' };
  expect((await ask('GET', '/jobs', { headers: stranger })).status).toBe(401);
  const api = await pidOf('api');
  const seen = [
    readFileSync(`/proc/${api}/cmdline`, 'utf8'),
    readFileSync(`/proc/${api}/environ`, 'utf8'),
    bulkhead.output(),
    bulkhead.log('api'),
    JSON.stringify(await (await ask('GET', '/status')).json()),
  ];
  expect(seen[0]).toContain('program\0api');
  expect(seen[3]).toMatch(/audit: POST \/jobs\/echo by token main from 127\.0\.0\.1: 202 job/);
  expect(seen.join()).not.toContain(token);
});
