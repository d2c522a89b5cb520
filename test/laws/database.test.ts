/** PostgreSQL under a real supervisor, stopped while clients are connected. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

/** The state in pg_control, as pg_controldata shows it; 1 is "shut down" (catalog/pg_control.h, DBState). */
function readClusterState(dataDir: string): number {
  const folder = join(dataDir, 'pg');
  const name = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith('global/pg_control'),
  );
  return readFileSync(join(folder, name ?? 'pg_control')).readInt32LE(16);
}

test('law 20: with fifty clients connected, a stop ends PostgreSQL fast and shut down, not killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-law-'));
  // The database's own user has to pass.
  chmodSync(folder, 0o755);
  const [port = 0] = await freePorts(1);
  const clients: pg.Client[] = [];
  try {
    await using bulkhead = await startSupervisor({
      folder,
      plan: 'version: 1\ndatabase: { name: laws, user: laws }\n',
      env: { BULKHEAD_DB_PORT: String(port) },
    });
    await bulkhead.ready();
    const password = readFileSync(join(bulkhead.dataDir, 'secrets', 'app_password'), 'utf8').trim();
    for (let count = 0; count < 50; count += 1) {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'laws', database: 'laws', password });
      client.on('error', () => undefined);
      clients.push(client);
    }
    await Promise.all(clients.map((client) => client.connect()));
    expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
    expect(bulkhead.log('database')).toContain('received fast shutdown request');
    expect(readClusterState(bulkhead.dataDir)).toBe(1);
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    rmSync(folder, { recursive: true, force: true });
  }
});
