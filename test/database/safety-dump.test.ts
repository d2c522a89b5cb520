/** The dump before a migration that has changed: made once for each, and never pushed out by one that fails. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readShelf } from '../../src/backups/shelf.ts';
import type { DatabasePlan } from '../../src/config/plan.ts';
import { fingerprintMigration } from '../../src/database/migration-fingerprint.ts';
import { layOutVolume } from '../../src/database/volume.ts';
import { findBinaries } from '../../src/postgres/binaries.ts';
import { layoutOf } from '../../src/postgres/layout.ts';
import { databaseUser } from '../../src/postgres/system-user.ts';
import type { Measures } from '../../src/protocol/metrics.ts';
import { makeExternalPostgres, PASSWORD } from '../support/external-postgres.ts';
import { type Ended, makeEmptyVolume, type RunOptions, type TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
let app: string;

beforeAll(async () => {
  volume = await makeVolume();
});
afterEach(() => rmSync(app, { recursive: true }));
beforeEach(() => {
  app = mkdtempSync(join(tmpdir(), 'bulkhead-app-'));
  // The task runs as the user of the database.
  chmodSync(app, 0o755);
});
afterAll(() => volume.remove());

const migration = (...argv: string[]): Partial<DatabasePlan> => ({
  migration: { argv, workingDir: app, safetyDump: true },
});
const dumps = (of = volume) =>
  readShelf(join(of.dataDir, 'backups'), ['dump']).filter(
    ({ manifest }) => manifest?.label === 'before-migration',
  );

async function setUp(plan: Partial<DatabasePlan>, options: RunOptions = {}, on = volume): Promise<Ended> {
  const ended = await on.run('setup', { ...options, plan });
  expect(ended.failure ?? (ended.code === 0 ? undefined : ended.stderr)).toBeUndefined();
  return ended;
}

test('none at the first boot and for the same migration; one for another, however often that fails', async () => {
  const init = join(app, 'init.sql');
  writeFileSync(init, 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (1), (2);');
  expect((await volume.boot({ plan: { ...migration('one'), init: [init] } })).failure).toBeUndefined();
  await setUp(migration('one'));
  expect(dumps()).toHaveLength(0);

  // The task setup comes before each try of the task migrate, whatever becomes of that.
  for (let boot = 0; boot < 3; boot += 1) await setUp(migration('two'));
  expect(dumps()).toHaveLength(1);
  expect(dumps()[0]).toMatchObject({ verified: { ok: true, level: 'readable' }, pinned: false });
  expect(dumps()[0]?.manifest?.databases?.[0]?.tables).toMatchObject([{ table: 'public.kept', rows: 2 }]);

  writeFileSync(join(app, 'package.json'), '{}');
  await setUp(migration('two'));
  await setUp(migration('two'));
  expect(dumps()).toHaveLength(2);
  await setUp(migration('one'));
  await setUp(migration('three'));
  expect(dumps()).toHaveLength(3);
  const status = await volume.run('database-status');
  const rows = (status.result as { ledger: { kind: string; detail: object }[] }).ledger;
  expect(rows.filter(({ kind }) => kind === 'before-migration').at(-1)?.detail).toMatchObject({
    backup: dumps()[0]?.id,
  });
  const { backups } = (await volume.run('measure')).result as Measures;
  const newest = { at: Date.parse(dumps()[0]?.startedAt ?? '') / 1000, size: expect.any(Number) };
  expect(backups?.find(({ kind }) => kind === 'dump')).toEqual({
    kind: 'dump',
    verified: 3,
    unverified: 0,
    newest,
  });
});

test('none after a restore into a new cluster, nor after the way back, while the migration is the same', async () => {
  const plan = migration('three');
  const made = dumps().length;
  const backup = await volume.run('backup', { plan, input: { what: 'daily', level: 'readable' } });
  expect(backup.failure).toBeUndefined();
  for (const [program, input] of [
    ['restore', { backup: 'latest', replace: '1', alone: '1' }],
    ['rollback', { alone: '1' }],
  ] as const) {
    await volume.stopServer();
    expect((await volume.run(program, { plan, input, asRoot: true })).failure).toBeUndefined();
    expect((await volume.boot({ plan })).failure).toBeUndefined();
    expect(await volume.query('SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 2 }]);
    expect(dumps()).toHaveLength(made);
    await setUp(plan);
    expect(dumps()).toHaveLength(made);
  }
  await setUp(migration('four'));
  expect(dumps()).toHaveLength(made + 1 > 3 ? 3 : made + 1);
});

test('on a disk without room the migration is refused, until the plan says that it needs none', async () => {
  const before = dumps().length;
  const full = { plan: migration('without room'), backups: { diskFloor: 2 ** 52 } };
  for (let boot = 0; boot < 2; boot += 1) {
    const refused = await volume.run('setup', full);
    expect(refused.code).toBe(12);
    expect(refused.failure).toContain('the changed migration was not begun');
    expect(refused.failure).toContain('database.migrate.safety_dump: false');
  }
  const given = migration('without room').migration;
  await setUp(
    { ...(given && { migration: { ...given, safetyDump: false } }) },
    { backups: { diskFloor: 2 ** 52 } },
  );
  expect(dumps()).toHaveLength(before);
});

test('an installation without pg_dump says so once, and migrates', async () => {
  const { bin } = findBinaries({ libraryDir: join(volume.root, 'lib') });
  const folder = join(volume.root, 'bin');
  mkdirSync(folder);
  for (const name of ['postgres', 'initdb']) symlinkSync(join(bin, name), join(folder, name));
  const before = dumps().length;
  const env = { BULKHEAD_POSTGRES_BIN: folder };
  const { notes } = await setUp(migration('without tools'), { env });
  expect(notes).toEqual([
    expect.stringMatching(/runs without a dump .* has no pg_dump; install the package/),
  ]);
  expect((await setUp(migration('without tools'), { env })).notes).toEqual([]);
  expect(dumps()).toHaveLength(before);
});

test('a database outside is dumped here, and its own ledger knows for which migration', async () => {
  const server = await makeExternalPostgres();
  const other = await makeEmptyVolume();
  try {
    const { host, port } = server;
    const place: Partial<DatabasePlan> = {
      external: { url: server.url(), hosts: [{ host, address: host, port }], parameters: {} },
      ...{ name: 'app', user: 'app', password: PASSWORD },
    };
    layOutVolume(layoutOf(other.dataDir, other.runDir), databaseUser('postgres'));
    await setUp({ ...place, ...migration('one') }, {}, other);
    await server.admin('SET ROLE app; CREATE TABLE kept (id int)', 'app');
    await setUp({ ...place, ...migration('one') }, {}, other);
    expect(dumps(other)).toHaveLength(0);
    await setUp({ ...place, ...migration('two') }, {}, other);
    await setUp({ ...place, ...migration('two') }, {}, other);
    expect(dumps(other)).toHaveLength(1);
    const rows = await server.admin('SELECT kind FROM bulkhead.ledger ORDER BY at', 'app');
    expect(rows.map(({ kind }) => kind)).toEqual(['create', 'before-migration', 'before-migration']);
    // What cannot be read is not ours to keep, and no reason to be down.
    await server.admin('CREATE TABLE hidden (id int)', 'app');
    const { notes } = await setUp({ ...place, ...migration('three') }, {}, other);
    expect(notes).toEqual([
      expect.stringMatching(/runs without a dump .* permission denied for table hidden/),
    ]);
  } finally {
    await other.remove();
    await server.remove();
  }
});

test('the fingerprint follows the command, its files, the build, the migrations and our own version', () => {
  const print = (version = '1.0.0') =>
    fingerprintMigration({ argv: ['node', 'migrate.mjs'], workingDir: app, safetyDump: true }, version);
  const seen = new Set([print(), print('1.0.1')]);
  for (const path of [
    'migrate.mjs',
    'package.json',
    '.next/BUILD_ID',
    'prisma/migrations/1_init/migration.sql',
  ]) {
    mkdirSync(join(app, path, '..'), { recursive: true });
    for (const text of ['a', 'b']) {
      writeFileSync(join(app, path), text);
      seen.add(print());
    }
  }
  expect(seen.size).toBe(10);
  expect(seen).toContain(print());
});
