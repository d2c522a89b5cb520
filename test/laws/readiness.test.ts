/** When a service is there, and when no longer: the kinds of readiness, and what a check that fails leads to. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askSocket } from '../support/control-socket.ts';
import { eventually } from '../support/descendants.ts';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

const KINDS = ['fd', 'log', 'http', 'tcp', 'exec'];

/** Five services, each ready in another way and not before the file `gate` is there, each with one who waits for it. */
async function planOfKinds(more: string): Promise<string> {
  const [http, tcp] = await freePorts(2);
  const gate = 'until test -e {folder}/gate; do sleep 0.02; done';
  const often = 'interval: 50ms, start_interval: 20ms, retries: 1000';
  const services = {
    fd: `command: [sh, -c, '${gate}; echo >&4; exec sleep 1000'], ready: { fd: 4 }`,
    // The line comes in two chunks.
    log: `command: [sh, -c, '${gate}; printf "now lis"; sleep 0.1; echo tening; exec sleep 1000'], ready: { log: now listening }`,
    http: `command: [node, '{programs}/answers-late.mjs', '${http}', '{folder}/gate', http], healthcheck: { http: "http://127.0.0.1:${http}/", ${often} }`,
    tcp: `command: [node, '{programs}/answers-late.mjs', '${tcp}', '{folder}/gate', tcp], healthcheck: { tcp: ${tcp}, ${often} }`,
    exec: `command: [sleep, '1000'], healthcheck: { test: [CMD, test, -e, '{folder}/gate'], ${often} }`,
  };
  const lines = Object.entries(services).flatMap(([name, words]) => [
    `  ${name}: { ${words}${more} }`,
    `  after-${name}: { command: [sleep, '1000'], depends_on: { ${name}: { condition: service_healthy } } }`,
  ]);
  return `version: 1\nservices:\n${lines.join('\n')}\n`;
}

test('law 16: dependents start only after readiness, be it a newline on a descriptor, HTTP, TCP, a line of the log or a command', async () => {
  await using bulkhead = await startSupervisor({ plan: await planOfKinds('') });
  const statuses = async () =>
    new Map((await bulkhead.status()).services.map((service) => [service.name, service]));
  await bulkhead.says('answers 503');
  for (const kind of KINDS) {
    expect((await statuses()).get(kind)).toMatchObject({ status: 'starting', generation: 1 });
    expect((await statuses()).get(`after-${kind}`)).toMatchObject({ status: 'waiting', generation: 0 });
  }
  writeFileSync(join(bulkhead.folder, 'gate'), '');
  await bulkhead.ready();
  for (const status of (await statuses()).values())
    expect(status).toMatchObject({ status: 'ready', generation: 1, restarts: 0 });
});

test('law 16: whatever readiness was asked for, its time limit fails the start, and dependents never start', async () => {
  await using bulkhead = await startSupervisor({
    plan: await planOfKinds(", start_timeout: 500ms, restart: 'on-failure:0', critical: false"),
  });
  await bulkhead.says('gave up');
  await eventually('all have failed', async () =>
    (await bulkhead.status()).services.every(({ status }) => status === 'failed' || status === 'waiting'),
  );
  for (const service of (await bulkhead.status()).services) {
    if (service.name.startsWith('after-'))
      expect(service).toMatchObject({ status: 'waiting', generation: 0 });
    else expect(service.reason).toContain('not ready after 500 ms');
  }
});

test('law 17: a dependency that is restarted leaves those who run, and one that comes late starts after it is back', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  db: { command: [sh, -c, 'until test -e {folder}/gate; do sleep 0.02; done; echo open; exec sleep 1000'], ready: { log: ^open } }
  app: { command: [sleep, '1000'], depends_on: { db: { condition: service_healthy } } }
  late: { command: [sleep, '1000'], depends_on: { db: { condition: service_healthy } } }
`,
  });
  writeFileSync(join(bulkhead.folder, 'gate'), '');
  await bulkhead.ready();
  const pidOf = async (name: string) =>
    (await bulkhead.status()).services.find((service) => service.name === name)?.pid;
  const app = await pidOf('app');
  await bulkhead.run('stop', 'late', 'db');
  await askSocket(bulkhead, 'POST', '/v1/services/start', { names: ['late'], wait: false });
  const { services } = await bulkhead.status();
  expect(services.find(({ name }) => name === 'late')).toMatchObject({ status: 'waiting' });
  await bulkhead.run('start', 'db');
  await bulkhead.ready();
  expect(await pidOf('app')).toBe(app);
  expect((await bulkhead.status()).services.find(({ name }) => name === 'late')?.status).toBe('ready');
});

test('law 19: a check that fails long enough leads to one graceful restart', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: [sh, -c, 'trap "echo bye-$$((1+1)); rm -f {folder}/sick; exit 0" TERM; echo up; while :; do sleep 0.02; done']
    healthcheck: { test: [CMD, test, '!', -e, '{folder}/sick'], interval: 50ms, retries: 3 }
`,
  });
  await bulkhead.ready();
  writeFileSync(join(bulkhead.folder, 'sick'), '');
  await bulkhead.says('bye-2');
  await bulkhead.ready();
  const [app] = (await bulkhead.status()).services;
  expect(app).toMatchObject({ status: 'ready', generation: 2, restarts: 1, lastExit: { code: 0 } });
  expect(bulkhead.log('app').match(/bye-2/g)).toHaveLength(1);
});
