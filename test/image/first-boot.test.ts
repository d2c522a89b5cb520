/** The product as most people meet it: one container on a new volume, then the same volume again. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Container,
  docker,
  isApp,
  isPostgres,
  isPostmaster,
  makeVolume,
  type Process,
  runContainer,
  useContainers,
  waitFor,
} from './container.ts';

const SECRETS = {
  BULKHEAD_TOKEN: 'token-f00d1e5eed',
  GEMINI_API_KEY: 'gemini-c0ffee0dd',
  ADMIN_PASSWORD: 'admin-5ca1ab1e77',
};

useContainers();
let volume: string;
let container: Container;

beforeAll(async () => {
  volume = await makeVolume();
  container = await runContainer({ volume, env: SECRETS });
  await container.ready();
});

describe('the first boot on an empty volume', () => {
  it('serves the sample, whole', async () => {
    expect(await container.tools()).toBe(16_765);
  });

  it('is healthy to Docker', async () => {
    await waitFor(
      'Docker to call it healthy',
      async () => (await container.inspect('.State.Health.Status')) === 'healthy',
    );
  });

  it('leaves no shell as PID 1', async () => {
    const first = (await container.processes()).find(({ pid }) => pid === 1);
    expect(first?.argv).toMatch(/^\/usr\/local\/bin\/node .*\/dist\/main\.js up$/);
  });

  it('runs PostgreSQL and the app as users of their own', async () => {
    const processes = await container.processes();
    const uids = (which: (process: Process) => boolean): number[] => [
      ...new Set(processes.filter(which).map(({ uid }) => uid)),
    ];
    expect(uids(isPostgres)).toEqual([999]);
    expect(uids(isApp)).toEqual([1001]);
  });

  it('leaves 300 orphans no zombies', async () => {
    await container.exec(['bash', '-c', 'for i in {1..300}; do (exec sleep 0.2 &); done']);
    await waitFor(
      'the orphans to be gone',
      async () =>
        !(await container.processes()).some(({ argv, state }) => argv.startsWith('sleep') || state === 'Z'),
    );
  });

  it('imports over psql as the owner does it', async () => {
    const password = (await container.exec(['cat', '/data/secrets/app_password'])).stdout.trim();
    const psql = [
      'psql',
      '-p',
      String(container.ports.database),
      '-v',
      'ON_ERROR_STOP=1',
      '-qAt',
      '-U',
      'video_ia_user',
      'video_ia_net',
    ];
    const env = { PGPASSWORD: password };
    const input = 'CREATE TABLE by_hand (n int); INSERT INTO by_hand SELECT generate_series(1, 1000);\n';
    expect(await container.exec(psql, { input, env })).toMatchObject({ code: 0 });
    const counted = await container.exec([...psql, '-c', 'SELECT count(*) FROM by_hand'], { env });
    expect(counted.stdout.trim()).toBe('1000');
  });

  it('answers the command line inside', async () => {
    const { code, stdout } = await container.exec(['bulkhead', 'status', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ overall: 'pass', tier: 'core' });
  });
});

describe('secrets', () => {
  const read = async (): Promise<Record<string, string>> => {
    const names = (await container.exec(['ls', '/data/secrets'])).stdout.trim().split('\n');
    const found: Record<string, string> = { ...SECRETS };
    for (const name of names)
      found[name] = (await container.exec(['cat', `/data/secrets/${name}`])).stdout.trim();
    return found;
  };

  it('stand in no argv and no log', async () => {
    const logs = await container.logs();
    const argvs = (await container.processes()).map(({ argv }) => argv).join('\n');
    for (const [name, secret] of Object.entries(await read())) {
      expect(logs.includes(secret), `${name} in the log`).toBe(false);
      expect(argvs.includes(secret), `${name} in an argv`).toBe(false);
    }
  });

  it('stand only in the environment of the service that declares them', async () => {
    const environment = async (which: (process: Process) => boolean, user: string): Promise<string> => {
      const found = (await container.processes()).filter(which);
      expect(found.length).toBeGreaterThan(0);
      // As the service's own user: in Docker, root may not look.
      const paths = found.map(({ pid }) => `/proc/${pid}/environ`);
      return (await container.exec(['cat', ...paths], { user })).stdout;
    };
    const app = await environment(isApp, '1001');
    expect(app).toContain(SECRETS.GEMINI_API_KEY);
    expect(app).not.toContain(SECRETS.BULKHEAD_TOKEN);
    const postgres = await environment(isPostmaster, '999');
    expect(postgres).toContain('PATH=');
    for (const [name, secret] of Object.entries(await read())) {
      expect(postgres.includes(secret), `${name} in PostgreSQL's environment`).toBe(false);
    }
  });

  it('are closed to the services on the volume', async () => {
    const asApp = await container.exec(['cat', '/data/secrets/app_password'], { user: '1001' });
    expect(asApp.code).not.toBe(0);
    expect((await container.exec(['stat', '-c', '%a', '/data/secrets'])).stdout.trim()).toBe('700');
  });
});

describe('after `docker stop`', () => {
  it('ends 0 with the cluster shut down, and finds everything again at the next boot', async () => {
    expect(await container.stop()).toBe(0);
    const control = await docker([
      ...[
        'run',
        '--rm',
        '--network',
        'none',
        '-v',
        `${volume}:/data`,
        '-u',
        '999',
        '--entrypoint',
        'pg_controldata',
      ],
      ...[await container.inspect<string>('.Config.Image'), '/data/pg/current'],
    ]);
    expect(control.stdout).toMatch(/cluster state: +shut down$/m);

    await container.start();
    await container.ready();
    expect(await container.tools()).toBe(16_765);
    const second = (await container.logs()).split('stopped; exit 0').at(-1) ?? '';
    expect(second).not.toContain('imported');
    expect(second).not.toContain('created a cluster');
    expect(await container.stop()).toBe(0);
  });
});
