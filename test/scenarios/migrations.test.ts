import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

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
