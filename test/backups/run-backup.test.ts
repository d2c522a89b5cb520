import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readShelf } from '../../src/backups/shelf.ts';
import { findBinaries } from '../../src/postgres/binaries.ts';
import type { BackupRunResult } from '../../src/protocol/backups.ts';
import type { Ended, TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
let bin: string;

beforeAll(async () => {
  volume = await makeVolume({ plan: { settings: { fsync: 'off', autovacuum: 'off' } } });
  const setup = await volume.boot();
  expect(setup.failure).toBeUndefined();
  ({ bin } = findBinaries({ libraryDir: join(volume.root, 'lib') }));
  const schema = readFileSync(join(import.meta.dirname, '..', 'database', 'real-schema.sql'), 'utf8');
  await volume.admin('CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pageinspect', 'tools');
  await volume.admin('CREATE ROLE reader_of_dumps');
  await volume.query(schema.replace('CREATE ROLE reader_of_dumps;', ''));
  await volume.query('ALTER TABLE tools FORCE ROW LEVEL SECURITY');
  execFileSync(join(bin, 'pgbench'), ['-i', '-q', '-s', '2', ...connection()], {
    env: asApp(),
    stdio: 'ignore',
  });
});

afterAll(() => volume.remove());

const connection = () => [
  '-h',
  '127.0.0.1',
  '-p',
  String(volume.plan.port),
  '-U',
  volume.plan.user,
  volume.plan.name,
];
const asApp = () => ({ PATH: process.env.PATH, PGPASSWORD: volume.password() });
const shelf = () => readShelf(join(volume.dataDir, 'backups'));
const run = async (input: Record<string, string>): Promise<Ended> => volume.run('backup', { input });
const made = (ended: Ended): BackupRunResult => {
  expect(ended.failure ?? ended.stderr.match(/"level":"error".*/)?.[0]).toBeUndefined();
  expect(ended.code).toBe(0);
  return ended.result as BackupRunResult;
};

describe('bulkhead backup run daily', () => {
  test('dumps one moment while others write, and proves it by restoring it', async () => {
    const writers = spawn(join(bin, 'pgbench'), ['-n', '-c', '2', '-T', '60', ...connection()], {
      env: asApp(),
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => writers.once('close', resolve));
    try {
      const [first] = made(await run({ what: 'daily' })).made;
      expect(first).toMatchObject({
        backup: { kind: 'dump', verified: { level: 'restored', ok: true } },
        verified: { level: 'restored', ok: true },
      });
      const [backup] = shelf();
      expect(backup?.manifest).toMatchObject({
        databases: [
          { name: 'tools', owner: 'tools_user', extensions: ['citext', 'pageinspect', 'pg_stat_statements'] },
        ],
      });
      expect(
        backup?.manifest?.databases?.[0]?.tables.find(({ table }) => table === 'public.pgbench_accounts')
          ?.rows,
      ).toBe(200_000);
    } finally {
      writers.kill();
      await ended;
    }
  });
});
