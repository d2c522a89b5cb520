import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

test('a changed migration that fails at every start is dumped for once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  chmodSync(folder, 0o755);
  const [port] = await freePorts(1);
  const boot = (migrate: string) => ({
    folder,
    env: { BULKHEAD_DB_PORT: String(port) },
    plan: `
version: 1
name: own
database:
  settings: { fsync: off }
  migrate: { command: [sh, -c, "${migrate}"] }
services:
  app: { command: [sleep, '1000'], depends_on: { database: { condition: service_healthy } } }
`,
  });
  const ofMigrations = async (supervisor: Awaited<ReturnType<typeof startSupervisor>>) => {
    const { backups } = JSON.parse((await supervisor.run('backup', 'list', '--json')).stdout);
    return backups.map(({ label }: { label?: string }) => label);
  };
  try {
    {
      await using first = await startSupervisor(boot('exit 0'));
      await first.ready();
      const psql = ['db', 'psql', '--', '-c', 'CREATE TABLE kept AS SELECT 7 AS n'];
      expect((await first.run(...psql)).code).toBe(0);
      expect(await ofMigrations(first)).toEqual([]);
    }
    for (let start = 0; start < 3; start += 1) {
      await using failing = await startSupervisor(boot('exit 3'));
      expect(await failing.finished).toEqual({ code: 12, signal: null });
      expect(await ofMigrations(failing)).toEqual(['before-migration']);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a migration that took too long leaves no lock on our own server: the next try gets through', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  chmodSync(folder, 0o777);
  const [port] = await freePorts(1);
  try {
    await using supervisor = await startSupervisor({
      folder,
      env: { BULKHEAD_DB_PORT: String(port) },
      plan: `
version: 1
name: own
database:
  settings: { fsync: off }
  migrate:
    command: ['${process.execPath}', '{programs}/migrates.mjs', '{folder}/hung']
    timeout: 3s
    retries: 1
services:
  app: { command: [sleep, '1000'], depends_on: { database: { condition: service_healthy } } }
`,
    });
    await supervisor.ready();
    // The database stayed up: what it said of its start, it said once.
    expect(supervisor.log('database').split('ready to accept connections')).toHaveLength(2);
    expect(supervisor.log('migrate')).toMatch(/hanging[\s\S]*migrated/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
