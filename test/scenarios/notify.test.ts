import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startSupervisor } from '../support/supervisor.ts';

const speaks = (...words: string[]): string =>
  `[perl, '{programs}/notifies.pl', ${words.map((word) => `'${word}'`).join(', ')}]`;

test('law 16: a service that says READY=1 is ready then, and its dependents start after it', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  later: { command: [sh, -c, 'echo follower; exec sleep 1000'], depends_on: { app: { condition: service_healthy } } }
  app: { command: ${speaks('STATUS=reading its books', 'on USR1', 'READY=1')}, ready: { notify: true } }
`,
  });
  await bulkhead.says('sent STATUS');
  const early = (await bulkhead.status()).services.find(({ name }) => name === 'app');
  expect(early).toMatchObject({ status: 'starting', progress: { what: 'reading its books' } });
  expect(early?.reason).toContain('READY=1');
  process.kill(Number(early?.pid), 'SIGUSR1');
  await bulkhead.ready();
  await expect.poll(() => bulkhead.log('later')).toContain('follower');
  // Not by the times of its lines: what it prints may be read after what it said by the socket.
  const events = readFileSync(`${bulkhead.dataDir}/bulkhead/events.ndjson`, 'utf8').split('\n');
  const ready = events.findIndex((line) => /"service":"app".*"to":"ready"/.test(line));
  const followed = events.findIndex((line) => /"spawned".*"service":"later"/.test(line));
  expect(ready).toBeGreaterThan(-1);
  expect(followed).toBeGreaterThan(ready);
});

test('law 16: one that never says READY=1 is stopped when its start takes too long', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app: { command: ${speaks('STATUS=stuck')}, ready: { notify: true }, start_timeout: 300ms, restart: 'on-failure:0' }
`,
  });
  expect((await bulkhead.finished).code).toBe(10);
  expect(bulkhead.output()).toContain('not ready after 300 ms');
});

test('one whose watchdog falls silent is restarted, and ends the container with 11 when that does not help', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app: { command: ${speaks('READY=1', 'WATCHDOG=1')}, ready: { notify: true }, watchdog: 300ms, restart: 'on-failure:1' }
`,
  });
  expect((await bulkhead.finished).code).toBe(11);
  expect(bulkhead.output()).toContain('no WATCHDOG=1 for 300 ms');
  expect(bulkhead.log('app').match(/sent READY/g)).toHaveLength(2);
});

test('one that says STOPPING=1 is shown stopping, and what its exit says is what follows', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: [sh, -c, 'perl {programs}/notifies.pl READY=1 STOPPING=1 exit; until [ -e {folder}/go ]; do sleep 0.02; done; exit 3']
    ready: { notify: true }
    stop_grace_period: 60s
    restart: on-failure:0
    critical: false
`,
  });
  const now = async () => (await bulkhead.status()).services[0];
  await bulkhead.says('sent STOPPING');
  await expect.poll(now).toMatchObject({ status: 'stopping', reason: 'it said that it is stopping' });
  writeFileSync(`${bulkhead.folder}/go`, '');
  await expect
    .poll(now)
    .toMatchObject({ status: 'failed', lastExit: { code: 3 }, reason: 'crashed (exit 3)' });
});

test('one that says STOPPING=1 and stays is killed after its grace, and started again', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app: { command: ${speaks('READY=1', 'STOPPING=1')}, ready: { notify: true }, stop_grace_period: 200ms, restart: 'on-failure:1' }
`,
  });
  expect((await bulkhead.finished).code).toBe(10);
  expect(bulkhead.output()).toMatch(/still there \S+ m?s after it said that it is stopping/);
  expect(bulkhead.log('app').match(/sent STOPPING/g)).toHaveLength(2);
});

test('EXTEND_TIMEOUT_USEC lets a slow start and a slow stop live longer than their limits', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: ${speaks('EXTEND_TIMEOUT_USEC=60000000', '600', 'READY=1', 'on TERM', 'EXTEND_TIMEOUT_USEC=60000000', '600', 'exit')}
    ready: { notify: true }
    start_timeout: 300ms
    stop_grace_period: 300ms
`,
  });
  await bulkhead.ready();
  expect((await bulkhead.run('stop', 'app')).code).toBe(0);
  const app = (await bulkhead.status()).services[0];
  expect(app).toMatchObject({
    status: 'stopped',
    generation: 1,
    restarts: 0,
    lastExit: { code: 0, signal: null },
  });
});

test('law 16: a Node service that sends the word ready to its parent is ready then, and one that does not fails its start', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app: { command: [node, '{programs}/says-ready.mjs'], ready: ipc }
  never: { command: [node, '{programs}/says-ready.mjs', never], ready: ipc, start_timeout: 1s, critical: false, restart: 'no' }
`,
  });
  const now = async (name: string) => (await bulkhead.status()).services.find((each) => each.name === name);
  await bulkhead.answers();
  await expect.poll(() => now('app'), { timeout: 5000 }).toMatchObject({ status: 'ready' });
  await expect
    .poll(() => now('never'), { timeout: 5000 })
    .toMatchObject({ status: 'failed', reason: 'not ready after 1.0 s' });
  expect(await now('app')).toMatchObject({ status: 'ready', restarts: 0 });
  expect(bulkhead.log('app')).not.toContain('disconnected');
});
