/** Tier full: it looks after itself, and one volume goes from tier to tier and back without losing anything. */
import { networkInterfaces } from 'node:os';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BackupList } from '../../src/protocol/backups.ts';
import type { JobList } from '../../src/protocol/jobs.ts';
import type { ScheduleStatus } from '../../src/protocol/schedules.ts';
import type { ProductStatus } from '../../src/protocol/status.ts';
import { openSinkServer } from '../support/sink-server.ts';
import {
  type Container,
  docker,
  FULL_IMAGE,
  freePorts,
  IMAGE,
  isApp,
  makeVolume,
  runContainer,
  SCRAPER_IMAGE,
  useContainers,
  waitFor,
} from './container.ts';
import { addJob, askApi, endOf, TOKEN } from './jobs.ts';

useContainers();

// As the Compose file: time enough for everybody also on a busy machine.
const PATIENT = {
  args: ['--stop-timeout', '30'],
  env: { BULKHEAD_STOP_TIMEOUT: '25s', BULKHEAD_TOKEN: TOKEN },
};

async function ask<Answer>(container: Container, ...argv: string[]): Promise<Answer> {
  const { stdout, stderr } = await container.exec(['bulkhead', ...argv, '--json']);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Answer;
}

async function schedulesOf(container: Container): Promise<ReadonlyMap<string, ScheduleStatus>> {
  const { schedules } = await ask<{ schedules: ScheduleStatus[] }>(container, 'schedule', 'list');
  return new Map(schedules.map((each) => [each.name, each]));
}

async function healthOf(container: Container): Promise<string> {
  return (await container.probe('/health', { authorization: `Bearer ${TOKEN}` })).text;
}

describe('tier full', () => {
  let container: Container;
  beforeAll(async () => {
    container = await runContainer({ image: FULL_IMAGE, volume: await makeVolume(), ...PATIENT });
    await container.ready();
  });

  it('says what it is, and stays below 1.1 GB', async () => {
    const [image] = JSON.parse((await docker(['image', 'inspect', FULL_IMAGE])).stdout);
    expect(image.Size).toBeLessThan(1.1e9);
    expect(image.Config.Env).toContain('BULKHEAD_TIER=full');
    expect(image.Config.Labels['org.opencontainers.image.title']).toBe('Bulkhead full');
  });

  it('lists its schedules, each with when next', async () => {
    const schedules = await schedulesOf(container);
    const on = [...schedules.values()].filter(({ nextRun }) => nextRun !== undefined).map(({ name }) => name);
    expect(on).toEqual([
      'backup-daily',
      'backup-base',
      'backup-assets',
      'backup-config',
      'verify-backups',
      'restore-drill',
      'clean-assets',
      'health-check',
    ]);
    expect((await container.exec(['bulkhead', 'tier'])).stdout).toMatch(/^▶ full /m);
  });

  it.each([
    'backup-daily',
    'backup-base',
    'backup-assets',
    'backup-config',
    'verify-backups',
    'restore-drill',
    'health-check',
    'clean-assets',
  ])('%s goes well', async (name) => {
    const { code, stdout, stderr } = await container.exec(['bulkhead', 'schedule', 'run', name]);
    expect(code, stdout + stderr + (await container.logs())).toBe(0);
    expect((await schedulesOf(container)).get(name)?.lastRun?.ok).toBe(true);
  });

  it('has proven backups of every kind, the one of the database by restoring it', async () => {
    const { backups } = await ask<BackupList>(container, 'backup', 'list');
    expect(new Set(backups.map(({ kind }) => kind))).toEqual(new Set(['dump', 'base', 'assets', 'config']));
    expect(backups.filter(({ verified }) => !verified?.ok)).toEqual([]);
    expect(backups.find(({ kind }) => kind === 'dump')?.verified?.level).toBe('restored');
    expect((await ask<ProductStatus>(container, 'status')).overall).toBe('pass');
  });

  it('waits where all that was missed comes at once, and does everything', async () => {
    const names = ['backup-daily', 'backup-assets', 'restore-drill'];
    const ends = await Promise.all(
      names.map((name) => container.exec(['bulkhead', 'schedule', 'run', name])),
    );
    expect(ends.map(({ code, stdout }) => [code, stdout])).toEqual(
      names.map((name) => [0, expect.stringContaining(name)]),
    );
  });

  it('has the figures of the app among its metrics, which nobody else is told', async () => {
    const visit = (path: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${container.ports.app}${path}`, { headers: { 'user-agent': 'a visitor' } });
    for (const path of ['/', '/api/tools?q=chat', '/nothing-here']) await (await visit(path)).text();
    const metrics = async (): Promise<string> =>
      (
        await fetch(`http://127.0.0.1:${container.ports.api}/metrics`, {
          headers: { authorization: `Bearer ${TOKEN}` },
        })
      ).text();
    // It asks the app once in five seconds.
    await waitFor(
      'the metrics to have the visit',
      async () => /^bulkhead_app_requests_total\{route="other",status="4xx"\} [1-9]/m.test(await metrics()),
      container,
    );
    const text = await metrics();
    expect(text).toContain('bulkhead_source_up{source="app"} 1');
    expect(text).toMatch(/^bulkhead_app_requests_total\{route="\/api\/tools",status="2xx"\} [1-9]/m);
    expect(text).toMatch(/^bulkhead_app_request_duration_seconds_count\{route="\/"\} [1-9]/m);
    expect(text).toMatch(/^bulkhead_app_active_users [1-9]/m);
    expect(text).not.toContain('nothing-here');
    // Not on the port of the app, and on the loopback alone.
    expect((await visit('/metrics')).status).toBe(404);
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal);
    await expect(fetch(`http://${outside?.address}:${container.ports.metrics}/metrics`)).rejects.toThrow();
  });

  it('removes a picture that no tool shows, once it is old, and first says which', async () => {
    const old = '/data/assets/logos/999999-0123456789abcdef.webp';
    const young = '/data/assets/logos/999998-0123456789abcdef.webp';
    await container.exec([
      'bash',
      '-c',
      `install -d -o scraper /data/assets/logos && touch ${young} && touch -d '2 days ago' ${old}`,
    ]);
    const dry = await endOf(container, await addJob(container, 'clean-assets', { dry_run: true }));
    expect(dry.result).toMatchObject({ files: 1, dryRun: true });
    const done = await endOf(container, await addJob(container, 'clean-assets'));
    expect(done.result).toMatchObject({ files: 1, dryRun: false });
    const { stdout } = await container.exec(['ls', '/data/assets/logos']);
    expect(stdout).toContain('999998-');
    expect(stdout).not.toContain('999999-');
  });

  it('says by its health check what does not work', async () => {
    await container.exec(['bulkhead', 'stop', 'app']);
    const stopped = await container.exec(['bulkhead', 'health', '--deep']);
    expect(stopped.stdout).toContain('✔ database write: written and read back in');
    await container.exec(['bulkhead', 'start', 'app']);
    // Everything of the server that is asked hangs: the port accepts connections all the same.
    const stop =
      'for d in /proc/[0-9]*; do [ "$(stat -c %u $d 2>/dev/null)" = 999 ] && kill -STOP ${d#/proc/}; done';
    const go = stop.replace('STOP', 'CONT');
    const held = await container.exec([
      'bash',
      '-c',
      `${stop}; timeout 100 bulkhead health --deep; code=$?; ${go}; exit $code`,
    ]);
    expect(held.code, held.stdout + held.stderr).toBe(1);
    expect(held.stdout.trim().split('\n').at(-1)).toMatch(/^unhealthy: .*database/);
  });
});

it('tells of backups that cannot be made and of a full disk, and that it is over', async () => {
  await using hook = await openSinkServer();
  const told = (): string[] =>
    hook.got.flatMap(({ body }) => {
      const { status, alerts }: { status: string; alerts: { fingerprint: string }[] } = JSON.parse(body);
      return alerts.map(({ fingerprint }) => `${fingerprint} ${status}`);
    });
  const container = await runContainer({
    image: FULL_IMAGE,
    args: [
      ...PATIENT.args,
      '--tmpfs',
      '/data:size=900m,mode=1777',
      '--volume',
      `${await makeVolume()}:/data/backups:ro`,
    ],
    env: { ...PATIENT.env, ALERT_WEBHOOK_URL: hook.url },
  });
  await container.ready();
  expect((await container.exec(['bulkhead', 'schedule', 'run', 'backup-daily'])).code).toBe(1);
  await container.exec(['bash', '-c', 'cat /dev/zero >/data/filler']);
  await waitFor('DiskSpace', async () => told().includes('DiskSpace firing'), container);
  expect(told()).toContain('BackupFailed/backup-daily firing');
  expect(JSON.parse(await healthOf(container))).toMatchObject({ status: 'warn' });
  expect(await container.tools()).toBe(16_765);
  await container.exec(['rm', '/data/filler']);
  await waitFor('its end', async () => told().includes('DiskSpace resolved'), container);
  expect(await container.sql('CREATE TABLE room AS SELECT 1 AS there')).toBe('');
  expect(await container.stop()).toBe(0);
});

it('tells of the app that has given up before the container has ended with it', async () => {
  await using hook = await openSinkServer();
  const container = await runContainer({
    ...PATIENT,
    image: FULL_IMAGE,
    volume: await makeVolume(),
    env: { ...PATIENT.env, ALERT_WEBHOOK_URL: hook.url },
  });
  await container.ready();
  await waitFor('the API', async () => (await container.exec(['bulkhead', 'alerts', 'list'])).code === 0);
  const over = container.exitCode();
  // Killed as soon as it is there, again and again.
  const killer = container.exec([
    'bash',
    '-c',
    'for (( ; ; )); do for d in /proc/[0-9]*; do grep -qasE "[n]ext-server|[s]erver[.]js" $d/cmdline && kill -9 ${d#/proc/}; done; sleep 0.1; done',
  ]);
  expect(await over).toBe(10);
  await killer;
  const messages = hook.got.map(({ body }) => JSON.parse(body));
  expect(messages.at(-1)).toMatchObject({ status: 'firing', fingerprint: 'ServiceDown/app' });
});

it('in development the database is reached from outside, the app is not there, queue and API are', async () => {
  const ports = await freePorts();
  const env = {
    ...PATIENT.env,
    BULKHEAD_DISABLE: 'app',
    BULKHEAD_DB_LISTEN: '*',
    DATABASE_URL: `postgresql://video_ia_user:development@localhost:${ports.database}/video_ia_net`,
  };
  const container = await runContainer({ ...PATIENT, image: SCRAPER_IMAGE, ports, env });
  await container.ready();
  const host = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  const session = new pg.Client(
    `postgresql://video_ia_user:development@${host}:${ports.database}/video_ia_net`,
  );
  await session.connect();
  expect((await session.query('SELECT count(*) > 0 AS there FROM tools')).rows).toEqual([{ there: true }]);
  await session.end();
  expect((await container.processes()).filter(isApp)).toEqual([]);
  expect((await askApi<JobList>(container, 'GET', '/jobs')).jobs).toEqual([]);
  expect(await container.stop()).toBe(0);
});

interface Content {
  readonly tools: number;
  readonly jobs: readonly string[];
  readonly backups: readonly string[];
}

/** The same walk twice: by the image that is run, and by the variable alone. */
describe.each([
  [
    'image',
    (tier: string) => ({ image: { core: IMAGE, scraper: SCRAPER_IMAGE, full: FULL_IMAGE }[tier] ?? '' }),
  ],
  ['variable', (tier: string) => ({ image: FULL_IMAGE, env: { ...PATIENT.env, BULKHEAD_TIER: tier } })],
] as const)('one volume, by the %s', (_by, choose) => {
  it('goes core, scraper, full, core, full and loses nothing', async () => {
    const volume = await makeVolume();
    const use = async (tier: string, act: (container: Container) => Promise<void>): Promise<string> => {
      const container = await runContainer({ ...PATIENT, volume, ...choose(tier) });
      await container.ready();
      await act(container);
      const logs = await container.logs();
      expect(await container.stop(), logs).toBe(0);
      await container.remove();
      return logs;
    };
    const remembered: { content?: Content } = {};
    const read = async (container: Container): Promise<Content> => ({
      tools: await container.tools(),
      jobs: (await askApi<JobList>(container, 'GET', '/jobs')).jobs.map(({ id, state }) => `${id} ${state}`),
      backups: (await ask<BackupList>(container, 'backup', 'list')).backups.map(({ id }) => id),
    });

    await use('core', async (core) => {
      await core.sql("UPDATE tools SET name = 'Kept all the way' WHERE id = (SELECT min(id) FROM tools)");
    });
    await use('scraper', async (scraper) => {
      expect((await endOf(scraper, await addJob(scraper, 'backup'))).state).toBe('completed');
    });
    await use('full', async (full) => {
      expect((await full.exec(['bulkhead', 'schedule', 'run', 'backup-daily'])).code).toBe(0);
      remembered.content = await read(full);
    });
    const down = await use('core', async (core) => {
      expect(await core.tools()).toBe(remembered.content?.tools);
      const { notes } = await ask<ProductStatus>(core, 'status');
      expect(notes.filter((note) => note.includes('instead of'))).toEqual([
        'tier core instead of full: worker, api, 4 jobs and 8 schedules of before are off, what they keep on the volume stays; BULKHEAD_TIER=full brings them back',
      ]);
      expect((await core.processes()).filter(({ argv }) => /program (worker|api)$/.test(argv))).toEqual([]);
    });
    expect(down).toContain('tier core instead of full');
    await use('full', async (full) => {
      expect(await read(full)).toEqual(remembered.content);
      expect(await full.sql("SELECT count(*) FROM tools WHERE name = 'Kept all the way'")).toBe('1');
      const last = (await schedulesOf(full)).get('backup-daily')?.lastRun;
      expect(last?.ok).toBe(true);
    });
  });
});
