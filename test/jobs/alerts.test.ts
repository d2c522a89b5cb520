import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/descendants.ts';
import { openSinkServer, type SinkServer } from '../support/sink-server.ts';
import { type Supervisor, startSupervisor } from '../support/supervisor.ts';

const flag = `/tmp/bulkhead-alerts-${process.pid}.down`;
let sink: SinkServer;
let bulkhead: Supervisor;

beforeAll(async () => {
  sink = await openSinkServer();
  bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: [sleep, "1000"]
    healthcheck: { test: [CMD, test, "!", -e, ${flag}], interval: 1s, retries: 1 }
    on_unhealthy: ignore
api: { user: nobody }
alerts:
  rules:
    ServiceDown: { for: 0, keep: 0 }
    CrashLoop: { enabled: false }
    DiskSpace: { enabled: false }
    DiskFilling: { enabled: false }
  sinks:
    ops: { type: webhook, url: "${sink.url}/hook?key=very-hidden-key", secret: 0123456789abcdef0123 }
    pager: { type: exec, user: nobody, command: [sh, -c, 'echo "paged: $$BULKHEAD_ALERT_STATUS $$BULKHEAD_ALERT_FINGERPRINT $$(wc -l)"'] }
`,
  });
  await bulkhead.ready();
  expect((await bulkhead.run('wait', 'api', '--timeout', '30s')).code).toBe(0);
});
afterAll(async () => {
  rmSync(flag, { force: true });
  await bulkhead[Symbol.asyncDispose]();
  await sink[Symbol.asyncDispose]();
});

test('a service that is killed and cannot come back is told, and that it is back', async () => {
  expect((await bulkhead.run('alerts', 'test')).stdout).toBe('ops: told\npager: told\n');
  writeFileSync(flag, '');
  const app = (await bulkhead.status()).services.find(({ name }) => name === 'app');
  process.kill(app?.pid ?? 0, 'SIGKILL');
  await sink.gets(2);
  expect((await bulkhead.run('alerts', 'list')).stdout).toMatch(/ServiceDown\/app +firing/);
  expect((await bulkhead.status()).overall).not.toBe('pass');
  rmSync(flag);
  await sink.gets(3);
  expect(sink.got.map(({ body }) => JSON.parse(body)).map((told) => [told.status, told.alertname])).toEqual([
    ['test', 'Test'],
    ['firing', 'ServiceDown'],
    ['resolved', 'ServiceDown'],
  ]);
  expect((await bulkhead.run('alerts', 'silence', 'ServiceDown/app', '--for', '2h')).stdout).toMatch(
    /^ServiceDown\/app is silent until .* UTC\n$/,
  );
  expect((await bulkhead.run('alerts', 'silence', 'ServiceDown/app', '--end')).stdout).toBe(
    'ServiceDown/app is told again\n',
  );
  await eventually('the command has told it too', () => bulkhead.output().includes('paged: resolved'));
  expect(bulkhead.output().match(/paged: .*/g)).toEqual([
    'paged: test Test 1',
    'paged: firing ServiceDown/app 1',
    'paged: resolved ServiceDown/app 1',
  ]);
  expect(bulkhead.output() + bulkhead.log('api')).not.toMatch(/very-hidden-key|0123456789abcdef/);
}, 120_000);

test('the critical service that gives up is told before the product has ended with it', async () => {
  const before = sink.got.length;
  await using short = await startSupervisor({
    plan: `
version: 1
services:
  app:
    # It fails as soon as the API is there.
    command: [bash, -c, "until (exec 3<>/dev/tcp/127.0.0.1/\${BULKHEAD_API_PORT}) 2>/dev/null; do sleep 0.1; done; exit 1"]
    backoff: { initial: 10ms, limit: 2 }
api: { user: nobody }
alerts:
  sinks:
    ops: { type: webhook, url: "${sink.url}/hook" }
    pager: { type: exec, user: nobody, command: [sh, -c, 'sleep 0.2; echo "paged: $$BULKHEAD_ALERT_FINGERPRINT"'] }
`,
  });
  expect((await short.finished).code).toBe(10);
  const told = sink.got.slice(before).map(({ body }) => JSON.parse(body));
  expect(told).toMatchObject([{ status: 'firing', fingerprint: 'ServiceDown/app' }]);
  expect(short.output().match(/paged: .*/g)).toEqual(['paged: ServiceDown/app']);
  expect(told[0].description).toMatch(/^app is failed: /);
});
