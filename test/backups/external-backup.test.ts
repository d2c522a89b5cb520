/** Dumps of a server that is not ours: as its role, with what a plain client may see. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readShelf } from '../../src/backups/shelf.ts';
import type { DatabasePlan } from '../../src/config/plan.ts';
import { layOutRunDir, layOutVolume } from '../../src/database/volume.ts';
import { findBinaries } from '../../src/postgres/binaries.ts';
import { layoutOf } from '../../src/postgres/layout.ts';
import { databaseUser } from '../../src/postgres/system-user.ts';
import type { BackupRunResult, VerifyResult } from '../../src/protocol/backups.ts';
import { type ExternalPostgres, makeExternalPostgres, PASSWORD } from '../support/external-postgres.ts';
import { type Ended, makeEmptyVolume, type RunOptions, type TestVolume } from '../support/postgres.ts';

let server: ExternalPostgres;
let volume: TestVolume;
let root: string;

beforeAll(async () => {
  server = await makeExternalPostgres();
  volume = await makeEmptyVolume({ plan: planOf(server) });
  root = join(volume.dataDir, 'backups');
  const layout = layoutOf(volume.dataDir, volume.runDir);
  layOutVolume(layout, databaseUser('postgres'));
  layOutRunDir(layout, databaseUser('postgres'));
  await asApp(`
    CREATE TABLE notes (id int PRIMARY KEY, text text);
    INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 1000) n;
    SELECT lo_from_bytea(0, decode(repeat('00ff', 3000), 'hex'));
    CREATE SCHEMA bulkhead; CREATE TABLE bulkhead.ledger (id text)`);
});
afterAll(async () => {
  await volume.remove();
  await server.remove();
});

function planOf({ host, port, url }: ExternalPostgres): Partial<DatabasePlan> {
  return {
    external: { url: url.call(server), hosts: [{ host, address: host, port }], parameters: {} },
    name: 'app',
    user: 'app',
    password: PASSWORD,
  };
}

const asApp = (sql: string) => server.admin(`SET ROLE app; ${sql}`, 'app');
const shelf = () => readShelf(root, ['dump', 'base']);

function requireWell(ended: Ended): unknown {
  expect(ended.failure ?? (ended.code === 0 ? undefined : ended.stderr)).toBeUndefined();
  return ended.result;
}

async function make(options: RunOptions = {}): Promise<BackupRunResult> {
  return requireWell(
    await volume.run('backup', { ...options, input: { what: 'daily', ...options.input } }),
  ) as BackupRunResult;
}

/** A folder with some of the programs of this installation. */
function binWith(...names: string[]): string {
  const { bin } = findBinaries({ libraryDir: join(volume.root, 'lib') });
  const folder = join(volume.root, `bin-${names.join('-')}`);
  mkdirSync(folder, { recursive: true });
  for (const name of names) symlinkSync(join(bin, name), join(folder, name));
  return folder;
}

test('a dump of it is restored into a cluster of our own and compared, large objects and all', async () => {
  const { made } = await make();
  expect(made[0]?.verified).toMatchObject({ ok: true, level: 'restored' });
  const [backup] = shelf();
  expect(backup?.manifest).toMatchObject({
    kind: 'dump',
    server: { systemIdentifier: '' },
    databases: [{ name: 'app', owner: 'app' }],
  });
  const tables = backup?.manifest?.databases?.[0]?.tables.map(({ table, rows }) => [table, rows]);
  expect(tables).toEqual([
    ['public.notes', 1000],
    ['large objects', 3],
  ]);
  // No roles: they are not ours to keep.
  expect(readdirSync(backup?.folder ?? '').sort()).toEqual(['app.dump', 'manifest.json', 'verified.json']);
  expect(readdirSync(join(volume.dataDir, 'pg'))).toEqual([]);
  const pruned = await volume.run('prune-backups', { input: { dryRun: 'yes' } });
  expect(pruned.result).toMatchObject({
    backups: expect.arrayContaining([expect.objectContaining({ keep: true })]),
  });
});

test('where only the client tools are, it is read to its end, and that is what is said', async () => {
  const env = { BULKHEAD_POSTGRES_BIN: binWith('pg_dump', 'pg_restore') };
  const ended = await volume.run('backup', { env, input: { what: 'daily' } });
  expect((requireWell(ended) as BackupRunResult).made[0]?.verified).toMatchObject({
    ok: true,
    level: 'readable',
  });
  expect(ended.notes[0]).toMatch(/read to its end but not restored: here is no server/);
  const verified = await volume.run('verify-backups', { env, input: { ids: 'latest', level: 'restored' } });
  expect(requireWell(verified) as VerifyResult[]).toMatchObject([{ ok: true, level: 'readable' }]);
});

test('client tools that are older than the server are refused before anything is written', async () => {
  const before = shelf().length;
  const folder = join(volume.root, 'old');
  mkdirSync(folder);
  for (const name of ['pg_dump', 'pg_restore']) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho '${name} (PostgreSQL) 9.6.1'\n`, { mode: 0o755 });
  }
  const ended = await volume.run('backup', {
    env: { BULKHEAD_POSTGRES_BIN: folder },
    input: { what: 'daily' },
  });
  expect(ended.failure).toMatch(/here are only the client tools of PostgreSQL 9\b/);
  expect(ended.failure).toMatch(
    /it needs the client tools of PostgreSQL \d+: add the package postgresql-client-\d+/,
  );
  expect(ended.code).toBe(5);
  expect(shelf()).toHaveLength(before);
});

test('what the role may not read is no backup without it', async () => {
  await server.admin('CREATE TABLE hidden (id int)', 'app');
  try {
    const ended = await volume.run('backup', { input: { what: 'daily' } });
    expect(ended.failure).toMatch(/permission denied for table hidden/);
    expect(ended.failure).toContain('let the role of DATABASE_URL read every table');
  } finally {
    await server.admin('DROP TABLE hidden', 'app');
  }
  expect(readdirSync(join(root, 'dump')).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a base backup of it, and a restore into it, are refused with what to do instead', async () => {
  const base = await volume.run('backup', { input: { what: 'base' } });
  expect([base.code, base.failure]).toEqual([5, expect.stringContaining('only of our own cluster')]);
  const [newest] = shelf();
  const file = join(newest?.folder ?? '', 'app.dump');
  const restore = await volume.run('restore', { input: { backup: 'latest', replace: '1' } });
  expect([restore.code, restore.failure]).toEqual([5, expect.stringContaining(`bulkhead db import ${file}`)]);
});

test('the command that the refusal names fills an empty database with it', async () => {
  const [newest] = shelf();
  await server.admin('CREATE DATABASE other OWNER app');
  const plan = { ...planOf(server), name: 'other' };
  requireWell(await volume.run('setup', { plan }));
  const file = join(newest?.folder ?? '', 'app.dump');
  const copy = join(volume.root, 'copy.dump');
  writeFileSync(copy, readFileSync(file), { mode: 0o644 });
  requireWell(await volume.run('import', { plan, input: { file: copy } }));
  const { bin } = findBinaries({ libraryDir: join(volume.root, 'lib') });
  const argv = [
    '-h',
    server.host,
    '-p',
    String(server.port),
    '-U',
    'app',
    '-Atc',
    'SELECT count(*) FROM notes',
    'other',
  ];
  const env = { PATH: process.env.PATH, PGPASSWORD: PASSWORD };
  expect(execFileSync(join(bin, 'psql'), argv, { env, encoding: 'utf8' }).trim()).toBe('1000');
  rmSync(copy);
});
