/** What cannot start, what ends at once, what runs out of descriptors. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countOpenFiles, eventually } from '../support/descendants.ts';
import { bulkhead as program, type Supervisor, startSupervisor } from '../support/supervisor.ts';

async function statusOf(bulkhead: Supervisor, name: string) {
  return (await bulkhead.status()).services.find((service) => service.name === name);
}

test('law 9: a service that ends at once, with 0 as with 1, is started again until it stays', async () => {
  const third = (code: number) =>
    `echo run >> {folder}/runs-${code}; test $$(wc -l < {folder}/runs-${code}) -lt 3 && exit ${code}; echo up; exec sleep 1000`;
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  zero: { command: [sh, -c, '${third(0)}'], ready: { log: ^up }, backoff: { initial: 20ms } }
  one: { command: [sh, -c, '${third(1)}'], ready: { log: ^up }, backoff: { initial: 20ms } }
`,
  });
  await bulkhead.ready();
  expect(await statusOf(bulkhead, 'zero')).toMatchObject({ status: 'ready', generation: 3 });
  expect(await statusOf(bulkhead, 'one')).toMatchObject({ status: 'ready', generation: 3 });
});

test('law 11: a program that is missing, then not executable, is tried again with a reason until it can be started', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  late: { command: ['{folder}/late.sh'], backoff: { initial: 50ms, max: 50ms, limit: 0 } }
  other: { command: [sleep, '1000'] }
`,
  });
  await bulkhead.answers();
  await eventually('it was tried', async () => ((await statusOf(bulkhead, 'late'))?.generation ?? 0) >= 2);
  await eventually('the reason names it', async () =>
    ((await statusOf(bulkhead, 'late'))?.reason ?? '').includes('late.sh'),
  );
  await bulkhead.says('late: cannot start');
  const script = join(bulkhead.folder, 'late.sh');
  writeFileSync(script, '#!/bin/sh\nexec sleep 1000\n', { mode: 0o644 });
  await eventually('the cause is another', async () =>
    /EACCES|permission|execut/i.test((await statusOf(bulkhead, 'late'))?.reason ?? ''),
  );
  chmodSync(script, 0o755);
  await eventually('it runs', async () => (await statusOf(bulkhead, 'late'))?.status === 'ready');
});

test('law 11: without descriptors left a start fails with its reason, the supervisor lives, and the start comes later', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `s${index}`);
  await using bulkhead = await startSupervisor({
    command: ['prlimit', '--nofile=96:96', process.execPath, '--disable-sigusr1', program, 'up'],
    plan: `
version: 1
services:
${names.map((name) => `  ${name}: { command: [sleep, '1000'], backoff: { initial: 100ms, max: 100ms, limit: 0 } }`).join('\n')}
`,
  });
  await eventually('some cannot start', () =>
    eventsOf(bulkhead).includes('the limit of open files is reached'),
  );
  // Most of them go, by a new plan: it needs no descriptor a client would need.
  writeFileSync(
    join(bulkhead.folder, 'plan.yaml'),
    `version: 1\nservices:\n${names
      .slice(28)
      .map(
        (name) =>
          `  ${name}: { command: [sleep, '1000'], backoff: { initial: 100ms, max: 100ms, limit: 0 } }`,
      )
      .join('\n')}\n`,
  );
  bulkhead.kill('SIGHUP');
  await bulkhead.says('reloaded:');
  await eventually('the others run', async () => {
    const { code } = await bulkhead.run('wait', '--for', 'ready', '--timeout', '1s');
    return code === 0 && (await bulkhead.status()).services.every(({ status }) => status === 'ready');
  });
  expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
});

function eventsOf(bulkhead: Supervisor): string {
  try {
    return readFileSync(join(bulkhead.dataDir, 'bulkhead', 'events.ndjson'), 'utf8');
  } catch {
    return '';
  }
}

test('the supervisor tells about itself when it is asked: no fault, no zombie, its descriptors and its log queue', async () => {
  await using bulkhead = await startSupervisor({
    plan: 'version: 1\nservices: { app: { command: [sleep, "1000"] } }\n',
  });
  await bulkhead.ready();
  const { supervisor } = await bulkhead.status();
  expect(supervisor).toMatchObject({ zombies: 0, logDroppedLines: 0, logLostLines: {}, internalErrors: 0 });
  expect(supervisor).not.toHaveProperty('fault');
  expect(supervisor?.openFiles).toBe(countOpenFiles(bulkhead.pid) + 1);
  expect(supervisor?.residentBytes).toBeGreaterThan(10_000_000);
  expect((await bulkhead.probe('/livez')).status).toBe(200);
});
