import { existsSync } from 'node:fs';
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
  app: { command: ${speaks('STATUS=reading its books', '400', 'READY=1')}, ready: { notify: true } }
`,
  });
  await bulkhead.says('sent STATUS');
  const early = (await bulkhead.status()).services.find(({ name }) => name === 'app');
  expect(early).toMatchObject({ status: 'starting', progress: { what: 'reading its books' } });
  expect(early?.reason).toContain('READY=1');
  await bulkhead.ready();
  await expect
    .poll(() => existsSync(`${bulkhead.dataDir}/logs/later.log`) && bulkhead.log('later'))
    .toContain('follower');
  // Each line of the files begins with its time.
  const timeOf = (log: string, text: string): string =>
    log
      .split('\n')
      .find((line) => line.includes(text))
      ?.split(' ')[0] ?? 'never';
  const [said, followed] = [
    timeOf(bulkhead.log('app'), 'sent READY'),
    timeOf(bulkhead.log('later'), 'follower'),
  ];
  expect(said <= followed).toBe(true);
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
