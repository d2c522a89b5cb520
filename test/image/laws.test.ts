/** The laws of supervision that the image could break, under Docker's default capabilities. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Container,
  docker,
  isApp,
  isPostmaster,
  makeVolume,
  type RunOptions,
  runContainer,
  useContainers,
  waitFor,
} from './container.ts';

useContainers();

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-laws-'));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The image with a plan of its own, without a database. */
async function runPlan(services: string, options: RunOptions = {}): Promise<Container> {
  const file = join(folder, 'plan.yaml');
  writeFileSync(file, `version: 1\nservices:\n${services}\n`);
  return runContainer({
    volume: await makeVolume(),
    ...options,
    args: ['--volume', `${file}:/etc/plan.yaml:ro`, ...(options.args ?? [])],
    env: { BULKHEAD_CONFIG: '/etc/plan.yaml', ...options.env },
  });
}

const STAYS = "command: [sleep, '1000'], user: app";

/** The states of all processes but the one that asks; zombies have no command line, so it is by the kernel's name. */
async function listStates(container: Container): Promise<string[]> {
  const { stdout } = await container.exec(['bash', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\d+ \((.*)\) (.).*$/, '$1 $2'));
}

const MAKE_ORPHANS = 'for i in $(seq 300); do (setsid sleep 0.0$((i % 7)) &); done';

async function expectReaped(container: Container): Promise<void> {
  await container.ready();
  expect((await container.exec(['bash', '-c', MAKE_ORPHANS])).code).toBe(0);
  const isLeft = (state: string): boolean => state.startsWith('sleep') && !state.endsWith(' S');
  await waitFor('the orphans to be gone', async () => {
    const states = await listStates(container);
    return states.filter((state) => state.startsWith('sleep')).length === 1 && !states.some(isLeft);
  });
  expect((await listStates(container)).filter((state) => state.endsWith(' Z'))).toEqual([]);
  expect(await container.stop()).toBe(0);
}

it('law 1: as PID 1 of the image it leaves no zombie of three hundred orphans', async () => {
  await expectReaped(await runPlan(`  app: { ${STAYS} }`));
});

it('law 28: with the init of Docker before it, it works and leaves no zombie either', async () => {
  await expectReaped(await runPlan(`  app: { ${STAYS} }`, { args: ['--init'] }));
});

it('law 29: it writes nothing but below /data, /run and /tmp', async () => {
  const container = await runPlan(`  app: { ${STAYS} }`);
  await container.ready();
  const { stdout } = await docker(['diff', container.name]);
  const places = stdout
    .split('\n')
    .filter((line) => line !== '' && !/^[AC] \/(run|tmp|data)(\/|$)/.test(line));
  // The mount point of the plan itself is made by Docker.
  expect(places.filter((line) => !/ \/etc(\/plan\.yaml)?$/.test(line))).toEqual([]);
  expect(await container.stop()).toBe(0);
});

it('law 30: `docker logs` has every line up to a kill -9, and the exit after them', async () => {
  const container = await runPlan(
    `  app: { ${STAYS} }\n  loud: { command: [bash, -c, 'for i in $$(seq 2000); do echo line $$i; done; echo last words; kill -9 $$$$'], user: app, restart: 'no' }`,
  );
  await waitFor('its end', async () => (await container.logs()).includes('loud ended: SIGKILL'), container);
  const { stdout } = await docker(['logs', container.name]);
  expect(stdout.match(/line \d+\r?\n/g)).toHaveLength(2000);
  expect(stdout.indexOf('last words')).toBeGreaterThan(stdout.indexOf('line 2000'));
  expect(stdout.indexOf('loud ended: SIGKILL')).toBeGreaterThan(stdout.indexOf('last words'));
  expect(await container.stop()).toBe(0);
});

describe('the product', () => {
  let container: Container;
  beforeAll(async () => {
    container = await runContainer({ volume: await makeVolume() });
    await container.ready();
  });

  const secret = async (): Promise<string> =>
    (await container.exec(['cat', '/data/secrets/app_password'])).stdout.trim();

  it('law 33: the password of the database is in no answer and no log, and closed to another service', async () => {
    const password = await secret();
    expect(password.length).toBeGreaterThan(10);
    const status = await container.exec(['bulkhead', 'status', '--json']);
    const shown = await container.exec(['bulkhead', 'config', 'show']);
    const health = await container.probe('/health');
    for (const text of [status.stdout, shown.stdout, health.text, await container.logs()])
      expect(text).not.toContain(password);
    const app = (await container.processes()).find(isApp);
    const read = await container.exec(['cat', `/proc/${app?.pid}/environ`], { user: 'postgres' });
    expect(read.code).not.toBe(0);
    expect((await container.exec(['cat', '/data/secrets/app_password'], { user: 'app' })).code).not.toBe(0);
  });

  it('law 34: app and database have users of their own, no group of root and no capability', async () => {
    const found = await container.processes();
    for (const [isIt, user] of [
      [isApp, 'app'],
      [isPostmaster, 'postgres'],
    ] as const) {
      const pid = found.find(isIt)?.pid;
      const uid = (await container.exec(['id', '-u', user])).stdout.trim();
      const { stdout } = await container.exec(['cat', `/proc/${pid}/status`]);
      expect(stdout).toMatch(new RegExp(`Uid:\\t${uid}\\t${uid}\\t${uid}\\t`));
      expect(/Groups:\t(.*)/.exec(stdout)?.[1]?.trim().split(' ')).not.toContain('0');
      expect(stdout).toMatch(/CapEff:\t0{16}/);
    }
  });

  it('law 38: no user but root may use the control socket, and the probe port changes nothing', async () => {
    const asked = await container.exec(['bulkhead', 'stop', 'app'], { user: 'app' });
    expect(asked.code).not.toBe(0);
    const posted = await fetch(`http://127.0.0.1:${container.ports.probes}/v1/services/stop`, {
      method: 'POST',
      body: JSON.stringify({ names: ['app'] }),
    });
    expect(posted.ok).toBe(false);
    expect((await container.probe('/readyz')).status).toBe(200);
  });

  it('law 39: killed as a whole it is gone at once, and the next boot passes over what is stale', async () => {
    await container.kill();
    expect(await container.exitCode()).toBe(137);
    await container.start();
    await container.ready();
    expect(await container.tools()).toBe(16_765);
  });

  it('law 20: with fifty clients connected `docker stop` ends PostgreSQL shut down, not killed', async () => {
    const password = await secret();
    const psql = `psql -p ${container.ports.database} -qAt -U video_ia_user -d video_ia_net`;
    const clients = container.exec(
      ['bash', '-c', `for i in $(seq 50); do ${psql} -c 'SELECT pg_sleep(1000)' & done; wait`],
      { env: { PGPASSWORD: password } },
    );
    await waitFor(
      'fifty backends',
      async () =>
        (await container.processes()).filter(({ argv }) => /^postgres: .*SELECT/.test(argv)).length >= 50,
      container,
    );
    expect(await container.stop()).toBe(0);
    await clients;
    const logs = await container.logs();
    expect(logs).toContain('received fast shutdown request');
    expect(logs.lastIndexOf('database system is shut down')).toBeGreaterThan(
      logs.lastIndexOf('received fast shutdown request'),
    );
  });
});
