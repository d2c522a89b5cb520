/** A user's own Next.js app, put in with one build argument, and a plan of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { docker, makeVolume, runContainer, useContainers } from './container.ts';

useContainers();
const root = join(import.meta.dirname, '..', '..');
const tag = 'bulkhead:own-app-test';
const config = mkdtempSync(join(tmpdir(), 'bulkhead-own-app-'));

afterAll(async () => {
  rmSync(config, { recursive: true, force: true });
  await docker(['image', 'rm', '-f', tag]);
});

const PLAN = `
version: 1
name: my-product
database: { name: shop, user: shop }
services:
  app:
    command: [node, server.js]
    working_dir: /app
    user: app
    environment: { PORT: "\${PORT:-3000}", HOSTNAME: 0.0.0.0, DATABASE_URL: "\${DATABASE_URL}" }
    depends_on: { database: { condition: service_healthy } }
    healthcheck: { http: "http://127.0.0.1:\${PORT:-3000}/api/health", interval: 10s }
`;

it('runs with one build argument and a plan, on a database of its own that is empty', async () => {
  const build = ['build', '--network', 'host', '--target', 'core', '-t', tag];
  const built = await docker([...build, '--build-arg', 'APP=test/image/plain-app', root]);
  expect(built, built.stderr.slice(-3000)).toMatchObject({ code: 0 });
  writeFileSync(join(config, 'core.yaml'), PLAN);
  const container = await runContainer({
    volume: await makeVolume(),
    args: ['--volume', `${config}:/etc/bulkhead:ro`],
    image: tag,
  });
  await container.ready();
  const page = await fetch(`http://127.0.0.1:${container.ports.app}/`);
  expect(await page.text()).toContain(`postgresql://shop:…@127.0.0.1:${container.ports.database}/shop`);
  const { stdout } = await container.exec(['bulkhead', 'db', 'status']);
  expect(stdout).not.toContain('tools.sql');
  expect(await container.stop()).toBe(0);
}, 300_000);
