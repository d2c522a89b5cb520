/** The whole machine is lost: from a store alone, the plan and the key, everything comes back. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { startTestStore } from '../support/s3-store.ts';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

test('database, files and configuration come back from a store, on a machine on which nothing is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-lost-'));
  // The database's own user has to pass.
  chmodSync(folder, 0o755);
  const far = await startTestStore();
  try {
    const identity = await generateIdentity();
    const key = join(folder, 'key.txt');
    writeFileSync(key, identity, { mode: 0o600 });
    const plan = `
version: 1
name: tools
database: { settings: { fsync: off } }
backups:
  recipients: [${await identityToRecipient(identity)}]
  offsite:
    endpoint: ${far.plan.endpoint}
    bucket: box
    prefix: shop
    access_key_id: S3RVER
    secret_access_key: S3RVER
services:
  app: { command: [sleep, infinity], depends_on: { database: { condition: service_healthy } } }
`;
    const [port] = await freePorts(1);
    const env = { BULKHEAD_DB_PORT: String(port) };
    await using first = await startSupervisor({ plan, env, folder });
    await first.ready();
    const data = (...path: string[]): string => join(first.dataDir, ...path);
    await first.run('db', 'psql', '--', '-qc', 'CREATE TABLE t AS SELECT generate_series(1, 3000) AS i');
    mkdirSync(data('assets', 'logos'), { recursive: true });
    writeFileSync(data('assets', 'logos', 'a.png'), 'a logo');
    chmodSync(data('assets', 'logos', 'a.png'), 0o640);
    mkdirSync(data('config'), { recursive: true });
    writeFileSync(data('config', 'app.env'), 'API_KEY=correct-horse-battery\n');
    const made = await first.run('backup', 'run', 'daily');
    expect(made.stderr).toBe('');

    // Beside the living one: files are told of, refused, and put back.
    writeFileSync(data('assets', 'logos', 'a.png'), 'spoilt');
    const refused = await first.run('backup', 'restore', 'latest', '--kind', 'assets');
    expect(refused.stderr).toContain('add --replace');
    const unasked = await first.run('backup', 'restore', 'latest', '--kind', 'assets', '--replace');
    expect(unasked.stderr).toContain('nobody said yes');
    expect(unasked.code).toBe(5);
    const back = await first.run('backup', 'restore', 'latest', '--kind', 'assets', '--replace', '--yes');
    expect(back.stderr).toBe('');
    expect(back.stdout).toMatch(
      /takes the place of what is in .*assets, which is kept[\s\S]*What was there is in/,
    );
    expect(readFileSync(data('assets', 'logos', 'a.png'), 'utf8')).toBe('a logo');
    rmSync(data('config', 'app.env'));
    const told = await first.run(
      'backup',
      'restore',
      'latest',
      '--kind',
      'config',
      '--identity',
      key,
      '--dry-run',
    );
    expect(told.stdout).toMatch(/new {6}.*app\.env/);
    expect(existsSync(data('config', 'app.env'))).toBe(false);
    expect(await first.stop()).toMatchObject({ code: 0 });

    rmSync(first.dataDir, { recursive: true });
    mkdirSync(first.dataDir);
    const listed = await first.run('backup', 'list', '--offsite');
    expect(listed.stdout).toMatch(/-dump-[\s\S]*in s3:\/\/box\/shop/);
    const keyless = await first.run('backup', 'restore', 'latest', '--from-offsite');
    expect(keyless.stderr).toContain('it is encrypted');
    const restored = await first.run('backup', 'restore', 'latest', '--from-offsite', '--identity', key);
    expect(restored.stdout).toMatch(/Start: (bulkhead up|npm start)/);
    expect(restored.code).toBe(0);
    for (const kind of ['assets', 'config']) {
      const words = ['latest', '--kind', kind, '--from-offsite', '--identity', key, '--yes'];
      const files = await first.run('backup', 'restore', ...words);
      expect(files.stdout).toContain('restored ');
      expect(files.code).toBe(0);
    }
    const verified = await first.run('backup', 'verify', '--all', '--level', 'readable');
    expect(verified.stdout.match(/✔/g)).toHaveLength(3);

    await using second = await startSupervisor({ plan, env, folder });
    await second.ready();
    const counted = await second.run('db', 'psql', '--', '-Atc', 'SELECT count(*) FROM t');
    expect(counted.stdout.trim()).toBe('3000');
    expect(readFileSync(data('assets', 'logos', 'a.png'), 'utf8')).toBe('a logo');
    expect(readFileSync(data('config', 'app.env'), 'utf8')).toBe('API_KEY=correct-horse-battery\n');
    const again = await second.run('backup', 'run', 'daily');
    expect(again.stderr).toBe('');
  } finally {
    await far.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 90_000);
