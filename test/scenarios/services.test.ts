import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bulkhead, freePorts, startSupervisor } from '../support/supervisor.ts';

/** A service that says so and stays. */
const STAYS = "command: [sh, -c, 'echo here; exec sleep 1000']";

describe('a supervisor of real processes', () => {
  test('starts services in the order of their dependencies, and stops clean', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
name: order
services:
  last: { ${STAYS}, depends_on: { first: { condition: service_completed_successfully } } }
  first: { type: task, command: [sh, -c, 'echo once; sleep 0.2'] }
`,
    });
    await bulkhead.ready();
    const { services, overall } = await bulkhead.status();
    expect(services.map(({ name, status }) => [name, status])).toEqual(
      expect.arrayContaining([
        ['first', 'done'],
        ['last', 'ready'],
      ]),
    );
    expect(overall).toBe('pass');
    expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
  });

  test('starts a crashed service again and says so', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app:
    command: [sh, -c, 'test -e {folder}/crashed || { touch {folder}/crashed; echo "last words"; exit 7; }; echo well; exec sleep 1000']
    ready: { log: well }
`,
    });
    await bulkhead.ready();
    const app = (await bulkhead.status()).services.find(({ name }) => name === 'app');
    expect(app).toMatchObject({ status: 'ready', generation: 2, restarts: 1, lastExit: { code: 7 } });
    expect(bulkhead.log('app')).toContain('last words');
  });

  test('laws 12, 25: ends with 10 when a critical service gives up, the others stopped', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { command: [sh, -c, 'echo broken; exit 3'], restart: 'on-failure:1' }
  other: { ${STAYS} }
`,
    });
    expect(await bulkhead.finished).toEqual({ code: 10, signal: null });
    expect(bulkhead.output()).toContain('app');
    expect(bulkhead.output()).toContain('broken');
  });

  test('law 25: ends with 12 when a critical task fails', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  prepare: { type: task, critical: true, command: [sh, -c, 'echo "no luck"; exit 1'] }
  app: { ${STAYS}, depends_on: { prepare: { condition: service_completed_successfully } } }
`,
    });
    expect((await bulkhead.finished).code).toBe(12);
    expect(bulkhead.output()).toContain('no luck');
  });

  test('law 25: ends with 13 and every problem when the plan is broken, and touches nothing', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { comand: [true], depends_on: [nobody] }
`,
    });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain('plan.yaml:4:10');
    expect(bulkhead.output()).toContain('did you mean "command"?');
    expect(bulkhead.output()).toContain('nobody');
    expect(existsSync(bulkhead.dataDir)).toBe(false);
  });

  test('law 25: ends with 13 naming program and remedy when a critical program is missing', async () => {
    await using bulkhead = await startSupervisor({
      plan: 'version: 1\nservices: { app: { command: [no-such-program-anywhere] } }',
    });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain('no-such-program-anywhere');
  });

  test('ends with 13 when a port is taken, before anything starts', async () => {
    const [port] = await freePorts(1);
    const stranger = createServer((_request, response) => response.end()).listen(port, '127.0.0.1');
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services: { app: { command: [sh, -c, 'touch {folder}/started'], healthcheck: { http: "http://127.0.0.1:${port}/" } } }
`,
    });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain(`port ${port}`);
    expect(existsSync(join(bulkhead.folder, 'started'))).toBe(false);
    await new Promise((resolve) => stranger.close(resolve));
  });

  test('law 25: ends with 75 where another supervisor uses the data', async () => {
    const plan = `version: 1\nservices: { app: { ${STAYS} } }`;
    // It has the first of the folders for sockets, so that the two others quarrel about the last as well.
    await using stranger = await startSupervisor({ plan });
    await stranger.ready();
    await using first = await startSupervisor({ plan });
    await first.ready();
    await using second = await startSupervisor({ plan, folder: first.folder });
    expect((await second.finished).code).toBe(75);
    expect((await first.status()).overall).toBe('pass');
  });

  test('law 25: kills what ignores its stop signal, and says so with 14', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  deaf: { command: [sh, -c, 'trap "" TERM; echo deaf; while :; do sleep 1; done'], stop_grace_period: 300ms, ready: { log: deaf } }
`,
    });
    await bulkhead.ready();
    expect((await bulkhead.stop()).code).toBe(14);
    expect(bulkhead.output()).toContain('deaf');
  });

  test('answers probes by what is true', async () => {
    const [port] = await freePorts(1);
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app:
    command: [node, '{programs}/answers-http.mjs', '${port}']
    healthcheck: { http: "http://127.0.0.1:${port}/", interval: 200ms, retries: 2, start_interval: 50ms }
`,
    });
    await bulkhead.ready();
    expect((await bulkhead.probe('/livez')).status).toBe(200);
    expect(await bulkhead.probe('/readyz')).toEqual({ status: 200, text: 'ready\n' });
    expect((await bulkhead.probe('/health')).status).toBe(200);
    expect((await bulkhead.run('health')).code).toBe(0);
    await bulkhead.run('stop', 'app');
    expect((await bulkhead.probe('/readyz')).status).toBe(503);
    expect((await bulkhead.probe('/startupz')).status).toBe(200);
    expect((await bulkhead.run('health')).code).toBe(1);
    await bulkhead.run('start', 'app');
    expect((await bulkhead.probe('/readyz')).status).toBe(200);
  });

  test('runs a command in the place of a service', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services: { app: { ${STAYS}, working_dir: '{folder}', environment: { COLOUR: green } } }
`,
    });
    await bulkhead.ready();
    const missing = await bulkhead.run('exec', 'app', '--', 'no-such-program');
    expect(missing.code).toBe(127);
    const { code, stdout } = await bulkhead.run('exec', 'app', '--', 'sh', '-c', 'echo $COLOUR; pwd; exit 5');
    expect(stdout).toBe(`green\n${bulkhead.folder}\n`);
    expect(code).toBe(5);
  });

  test('gives a service only what its stanza declares', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services: { app: { command: [sh, -c, 'env; echo end; exec sleep 1000'], ready: { log: ^end }, environment: { MINE: '1', PASSED: } } }
`,
      env: { SECRET_OF_OTHERS: 'hush', PASSED: 'through' },
    });
    await bulkhead.ready();
    expect(bulkhead.log('app')).toContain('MINE=1');
    expect(bulkhead.log('app')).toContain('PASSED=through');
    expect(bulkhead.log('app')).not.toContain('SECRET_OF_OTHERS');
  });

  test('law 35: reloads the least, and nothing of a broken plan', async () => {
    const plan = (colour: string): string => `
version: 1
services:
  steady: { ${STAYS} }
  painted: { ${STAYS}, environment: { COLOUR: ${colour} } }
`;
    await using bulkhead = await startSupervisor({ plan: plan('green') });
    await bulkhead.ready();
    const before = await bulkhead.status();
    writeFileSync(join(bulkhead.folder, 'plan.yaml'), 'version: 1\nservices: { painted: { comand: x } }');
    expect((await bulkhead.run('reload')).code).toBe(6);
    expect((await bulkhead.status()).services.map(({ pid }) => pid)).toEqual(
      before.services.map(({ pid }) => pid),
    );
    writeFileSync(join(bulkhead.folder, 'plan.yaml'), plan('blue'));
    expect((await bulkhead.run('reload', '--dry-run')).stdout).toContain('environment.COLOUR');
    expect((await bulkhead.run('reload')).code).toBe(0);
    await bulkhead.ready();
    const { stdout } = await bulkhead.run('exec', 'painted', '--', 'sh', '-c', 'echo $COLOUR');
    expect(stdout).toBe('blue\n');
    const pidOf = (status: typeof before, name: string) =>
      status.services.find((each) => each.name === name)?.pid;
    const after = await bulkhead.status();
    expect(pidOf(after, 'steady')).toBe(pidOf(before, 'steady'));
    expect(pidOf(after, 'painted')).not.toBe(pidOf(before, 'painted'));
  });

  test('law 23: leaves nobody behind when it is killed by a second signal in the middle of a boot', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  slow: { type: task, critical: true, command: [sh, -c, 'trap "" TERM; echo begun; while :; do sleep 1; done'] }
  app: { ${STAYS}, depends_on: { slow: { condition: service_completed_successfully } } }
`,
    });
    await bulkhead.says('begun');
    const { services } = await bulkhead.status();
    const pid = services.find(({ name }) => name === 'slow')?.pid ?? 0;
    bulkhead.child.kill('SIGTERM');
    await bulkhead.says('stopping');
    bulkhead.child.kill('SIGTERM');
    expect((await bulkhead.finished).code).toBe(14);
    // Nobody waits for whom it killed at the last: the kernel takes its moment.
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  });

  test('law 32: does not care whether anybody reads its output', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services: { loud: { command: [sh, -c, 'seq 1 200000; echo over; exec sleep 1000'], ready: { log: over } } }
`,
    });
    bulkhead.child.stdout?.pause();
    await bulkhead.ready();
    expect(bulkhead.log('loud').trimEnd().split('\n')).toHaveLength(200_001);
    bulkhead.child.stdout?.resume();
  });

  test('reads the log in the past and as it comes', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services: { app: { command: [sh, -c, 'echo first; echo second; while :; do sleep 0.1; echo more; done'], ready: { log: second } } }
`,
    });
    await bulkhead.ready();
    const { stdout } = await bulkhead.run('logs', 'app');
    expect(stdout).toContain('first');
    expect(stdout).toContain('second');
    const piped = spawn(
      'sh',
      [
        '-c',
        `"${process.execPath}" "${join(import.meta.dirname, '../../dist/main.js')}" logs app -f | head -1`,
      ],
      {
        env: { ...process.env, BULKHEAD_DATA: bulkhead.dataDir },
      },
    );
    piped.stdout.resume();
    const code = await new Promise((resolve) => piped.once('close', resolve));
    expect(code).toBe(0);
  });

  test('stops when the terminal it was started on is closed', async () => {
    const terminal = ['script', '-qefc', `"${process.execPath}" "${bulkhead}" up`, '/dev/null'];
    await using supervisor = await startSupervisor({
      plan: `version: 1\nservices: { app: { ${STAYS} } }`,
      command: terminal,
    });
    await supervisor.ready();
    const { pid } = await supervisor.status();
    supervisor.child.kill('SIGKILL');
    await supervisor.finished;
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 15_000 }).toBe(false);
    expect(supervisor.log('bulkhead')).toContain('exit 0');
  });
});
