/** How what a service leaves behind ends: holders of its pipe, survivors of its group, those that left its session. */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { listDescendants } from '../support/descendants.ts';
import { freePorts, type Supervisor, startSupervisor } from '../support/supervisor.ts';

/** What a service wrote as `<word> <number>`. */
function pidIn(bulkhead: Supervisor, service: string, word: string): number {
  return Number(new RegExp(`${word} (\\d+)`).exec(bulkhead.log(service))?.[1]);
}

test('law 2: a leader that ends while a background child holds its pipe is started again, and the child is gone', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: [sh, -c, 'test -e {folder}/once && { echo second; exec sleep 1000; }; touch {folder}/once; sleep 1000 & echo holder $$!; exit 7']
    ready: { log: second }
    backoff: { initial: 10ms }
`,
  });
  await bulkhead.ready();
  const app = (await bulkhead.status()).services[0];
  expect(app).toMatchObject({ generation: 2, lastExit: { code: 7 } });
  expect(existsSync(`/proc/${pidIn(bulkhead, 'app', 'holder')}`)).toBe(false);
});

test('law 3: a group survivor that ignores TERM is killed before the stop is told, and the end is unclean', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: [sh, -c, '(trap "" TERM; while :; do sleep 1000; done) & echo survivor $$!; trap "exit 0" TERM; echo up; wait']
    ready: { log: ^up }
    stop_grace_period: 300ms
`,
  });
  await bulkhead.ready();
  const survivor = pidIn(bulkhead, 'app', 'survivor');
  expect(existsSync(`/proc/${survivor}`)).toBe(true);
  expect((await bulkhead.run('stop', 'app')).code).toBe(0);
  expect(existsSync(`/proc/${survivor}`)).toBe(false);
  expect((await bulkhead.stop()).code).toBe(14);
  expect(bulkhead.output()).toContain('had to kill app');
});

test('law 4: a child that left the session and holds the port is killed, and the next start gets the port', async () => {
  const [port] = await freePorts(1);
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: [sh, -c, 'setsid node {programs}/answers-http.mjs ${port} & echo escapee $$!; wait']
    healthcheck: { http: "http://127.0.0.1:${port}/", start_interval: 50ms }
`,
  });
  await bulkhead.ready();
  const escapee = pidIn(bulkhead, 'app', 'escapee');
  expect((await bulkhead.run('restart', 'app')).code).toBe(0);
  expect(existsSync(`/proc/${escapee}`)).toBe(false);
  expect((await bulkhead.status()).services[0]).toMatchObject({ status: 'ready', generation: 2 });
  expect(bulkhead.log('app')).not.toContain('EADDRINUSE');
});

test('law 18: an exec probe that hangs and ignores TERM is killed with its group, and probes do not pile up', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: [sh, -c, 'exec sleep 1000']
    on_unhealthy: ignore
    healthcheck:
      test: [CMD, sh, -c, 'trap "" TERM; echo asked >> {folder}/probes; sleep 1001 & sleep 1001']
      interval: 150ms
      timeout: 100ms
      retries: 3
`,
    env: { LOG_LEVEL: 'debug' },
  });
  await bulkhead.says('app: starting → unhealthy');
  const probing = listDescendants(bulkhead.pid).filter(({ argv }) => argv === 'sleep 1001');
  expect(probing.length).toBeLessThanOrEqual(2);
  expect((await bulkhead.status()).services[0]?.check?.failures).toBeGreaterThanOrEqual(3);
  expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
});

/** All that can be caught, and mean nothing else to the program that catches them. */
const SIGNALS = Object.keys(constants.signals).filter(
  (name) => !['SIGKILL', 'SIGSTOP', 'SIGIOT', 'SIGPOLL', 'SIGUNUSED', 'SIGCLD', 'SIGSTKFLT'].includes(name),
);

test('law 26: each of the signals a plan may name reaches the leader as that signal', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
${SIGNALS.map((name) => `  ${name.toLowerCase()}: { command: [perl, '{programs}/tells-signal.pl', ${name}], stop_signal: ${name}, ready: { log: up } }`).join('\n')}
`,
  });
  expect(SIGNALS.length).toBeGreaterThanOrEqual(28);
  await bulkhead.ready();
  expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
  for (const name of SIGNALS) expect(bulkhead.log(name.toLowerCase())).toContain(`got ${name}`);
});

test('law 27: a service begins with clean signals though the supervisor was started with some ignored and blocked', async () => {
  await using bulkhead = await startSupervisor({
    command: [
      'env',
      '--ignore-signal=HUP,PIPE,QUIT,USR2',
      '--block-signal=HUP,WINCH',
      process.execPath,
      '--disable-sigusr1',
      new URL('../../dist/main.js', import.meta.url).pathname,
      'up',
    ],
    plan: `
version: 1
services:
  app: { command: [sh, -c, 'grep Sig /proc/self/status; echo end; exec sleep 1000'], ready: { log: ^end } }
  other: { command: [sh, -c, 'grep Sig /proc/self/status; echo end; exec sleep 1000'], ready: { log: ^end }, umask: '077', ulimits: { nofile: 200 } }
`,
  });
  await bulkhead.ready();
  for (const name of ['app', 'other']) {
    expect(bulkhead.log(name)).toMatch(/SigBlk:\s*0{16}/);
    expect(bulkhead.log(name)).toMatch(/SigIgn:\s*0{16}/);
  }
});
