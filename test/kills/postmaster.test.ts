/** A postmaster that is killed as often as it comes back. It takes half a minute: between the starts there are waits. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { eventually } from '../support/descendants.ts';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

test('case 15: a postmaster that is killed again and again is given up, with its exit code, and the data is kept', {
  timeout: 180_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-postmaster-'));
  chmodSync(folder, 0o755);
  const [port = 0] = await freePorts(1);
  const boot = () =>
    startSupervisor({
      folder,
      plan: 'version: 1\ndatabase: { name: kept, user: kept }\n',
      env: { BULKHEAD_DB_PORT: String(port) },
    });
  const query = async (sql: string): Promise<unknown[]> => {
    const password = readFileSync(join(folder, 'data', 'secrets', 'app_password'), 'utf8').trim();
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'kept', database: 'kept', password });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    return rows;
  };
  try {
    {
      await using killed = await boot();
      await killed.ready();
      await query('CREATE TABLE kept AS SELECT 1 AS one');
      for (let life = 1; life <= 6; life += 1) {
        await eventually(
          `life ${life} serves`,
          async () => {
            const database = (await killed.status()).services.find(({ name }) => name === 'database');
            return database?.status === 'ready' && database.generation === life;
          },
          60_000,
        );
        const lockFile = join(folder, 'data', 'pg', 'current', 'postmaster.pid');
        process.kill(Number(readFileSync(lockFile, 'utf8').split('\n')[0]), 'SIGKILL');
      }
      expect(await killed.finished).toMatchObject({ code: 10 });
    }
    await using next = await boot();
    await next.ready();
    expect(await query('SELECT one FROM kept')).toEqual([{ one: 1 }]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
