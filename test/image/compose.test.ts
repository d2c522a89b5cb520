/** The Compose files by a real Docker Compose: what people start with comes up, is healthy, stops clean and keeps its data. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  docker,
  type Finished,
  FULL_IMAGE,
  freePorts,
  IMAGE,
  type Ports,
  SCRAPER_IMAGE,
} from './container.ts';
import { TOKEN } from './jobs.ts';

const COMPOSE = process.env.BULKHEAD_TEST_COMPOSE ?? 'docker-compose';
const ROOT = join(import.meta.dirname, '../..');
const IMAGES = { core: IMAGE, scraper: SCRAPER_IMAGE, full: FULL_IMAGE } as const;
type Tier = keyof typeof IMAGES;

let folder: string;
let ports: Ports;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-compose-'));
  ports = await freePorts();
  writeFileSync(join(folder, 'token'), `${TOKEN}\n`);
  writeFileSync(join(folder, 'admin'), 'a-password-of-the-admin\n');
  for (const tier of Object.keys(IMAGES) as Tier[]) writeFileSync(overrideOf(tier), override(tier));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const overrideOf = (tier: Tier): string => join(folder, `${tier}.yaml`);

/** Where the engine has no bridge all run on the host's network, on ports of their own; the image is the one under test. */
function override(tier: Tier): string {
  return `
services:
  bulkhead:
    image: ${IMAGES[tier]}
    build: !reset null
    ports: !reset []
    networks: !reset null
    network_mode: host
    environment:
      PORT: "${ports.app}"
      BULKHEAD_PORT: "${ports.probes}"
      BULKHEAD_DB_PORT: "${ports.database}"
      BULKHEAD_API_PORT: "${ports.api}"
      APP_METRICS_PORT: "${ports.metrics}"
networks: !reset null
`;
}

function compose(tier: Tier, ...argv: string[]): Promise<Finished> {
  const files = ['-f', join(ROOT, `docker/compose.${tier}.yaml`), '-f', overrideOf(tier)];
  return run(['-p', projectOf(tier), ...files, ...argv]);
}

const projectOf = (tier: Tier): string => `bulkhead-compose-${process.pid}-${tier}`;

function run(argv: readonly string[]): Promise<Finished> {
  const env = {
    ...process.env,
    BULKHEAD_TOKEN_PATH: join(folder, 'token'),
    ADMIN_PASSWORD_PATH: join(folder, 'admin'),
    POSTGRES_PASSWORD: 'secret',
  };
  return new Promise((resolve) => {
    execFile(COMPOSE, argv, { env }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ code, stdout, stderr });
    });
  });
}

describe('the engine takes what the file asks of it', () => {
  it.each(Object.keys(IMAGES) as Tier[])('tier %s', async (tier) => {
    const made = await compose(tier, 'create');
    await compose(tier, 'down', '--volumes');
    expect(made).toMatchObject({ code: 0 });
  });

  it('the workers', async () => {
    const { code, stdout } = await run([
      '-f',
      join(ROOT, 'docker/compose.workers.yaml'),
      'config',
      '--services',
    ]);
    expect([code, stdout.trim().split('\n').toSorted()]).toEqual([0, ['app', 'postgres', 'worker']]);
  });
});

describe('tier full', () => {
  afterAll(() => compose('full', 'down', '--volumes'));

  const rows = async (): Promise<number> => {
    const answer = (await (await fetch(`http://127.0.0.1:${ports.app}/api/tools`)).json()) as {
      total: number;
    };
    return answer.total;
  };

  it('comes up healthy, with its secrets from files', async () => {
    expect(await compose('full', 'up', '--detach', '--wait')).toMatchObject({ code: 0 });
    expect(await rows()).toBe(16_765);
    const asked = await fetch(`http://127.0.0.1:${ports.api}/schedules`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(asked.status).toBe(200);
    const { stdout } = await compose('full', 'exec', '-T', 'bulkhead', 'bulkhead', 'schedule', 'list');
    expect(stdout).toMatch(/backup-daily/);
  });

  it('stops clean within its time, and finds its data again', async () => {
    expect(await compose('full', 'stop')).toMatchObject({ code: 0 });
    const name = `${projectOf('full')}-bulkhead-1`;
    expect((await docker(['inspect', '-f', '{{.State.ExitCode}}', name])).stdout.trim()).toBe('0');
    expect(await compose('full', 'down')).toMatchObject({ code: 0 });
    expect(await compose('full', 'up', '--detach', '--wait')).toMatchObject({ code: 0 });
    expect(await rows()).toBe(16_765);
  });
});
