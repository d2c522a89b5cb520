import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

const PLAN = `
version: 1
database: { name: tools, user: tools, settings: { fsync: 'off' } }
backups: { point_in_time: true, disk_floor: 1m }`;

test('case 14: an archive that hangs does not hold up the stop, the next start has everything, and the stop counts as unclean', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-wedged-'));
  // The database's own user has to pass.
  chmodSync(folder, 0o755);
  const [port = 0] = await freePorts(1);
  const env = { BULKHEAD_DB_PORT: String(port), BULKHEAD_STOP_TIMEOUT: '4s' };
  try {
    const first = await startSupervisor({ plan: PLAN, folder, env });
    await first.ready();
    const wal = join(first.dataDir, 'wal');
    const archive = join(wal, readdirSync(wal)[0] ?? '');
    const session = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'tools',
      database: 'tools',
      password: readFileSync(join(first.dataDir, 'secrets', 'app_password'), 'utf8').trim(),
    });
    await session.connect();
    await session.query('CREATE TABLE t AS SELECT 1 AS n');
    const { rows } = await session.query('SELECT pg_walfile_name(pg_current_wal_lsn()) AS name');
    await session.end();
    // Whoever compares with a pipe that nobody writes to waits for ever, as on a network folder that is gone.
    const pipe = join(archive, rows[0].name);
    execFileSync('mkfifo', ['-m', '666', pipe]);
    expect((await first.stop()).code).toBe(14);
    expect(first.output()).toContain('had to kill database');
    rmSync(pipe);

    await using second = await startSupervisor({ plan: PLAN, folder, env });
    await second.ready();
    const counted = await second.run('db', 'psql', '--', '-Atc', 'SELECT sum(n) FROM t');
    expect(counted.stdout.trim()).toBe('1');
    expect((await second.stop()).code).toBe(0);
    // What hung then is in the archive now.
    expect(readdirSync(archive)).toContain(rows[0].name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
