import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readShelf } from '../../src/backups/shelf.ts';
import type { DatabaseStatus } from '../../src/protocol/database-status.ts';
import type { RestoreFilesPlan, RestorePlan, RollbackPlan } from '../../src/protocol/operations.ts';
import { type Ended, makeEmptyVolume, type RunOptions, type TestVolume } from '../support/postgres.ts';
import { startTestStore, type TestStore } from '../support/s3-store.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
let far: TestStore;
let identity: string;
let backups: NonNullable<RunOptions['backups']>;

const plan = { settings: { fsync: 'off', autovacuum: 'off' } };
const root = (): string => join(volume.dataDir, 'backups');
const idOf = (kind: string): string =>
  readShelf(root()).find((backup) => backup.kind === kind)?.id ?? `no ${kind}`;
const restore = (input: Readonly<Record<string, string>>): Promise<Ended> =>
  volume.run('restore', { input, backups });
const count = async (of: TestVolume): Promise<unknown> =>
  (await of.query('SELECT count(*)::int AS n FROM words'))[0]?.n;
const stages = (): string[] => readdirSync(join(root(), 'dump')).filter((name) => name.startsWith('.stage-'));

beforeAll(async () => {
  far = await startTestStore();
  identity = await generateIdentity();
  backups = { recipients: [await identityToRecipient(identity)], offsite: { ...far.plan, prefix: 'shop' } };
  volume = await makeVolume({ plan });
  expect((await volume.boot()).failure).toBeUndefined();
  await volume.query('CREATE TABLE words AS SELECT n, md5(n::text) AS word FROM generate_series(1, 1000) n');
  mkdirSync(join(volume.dataDir, 'assets'), { recursive: true });
  writeFileSync(join(volume.dataDir, 'assets', 'a.png'), 'a logo');
  // A test runs what reads the files of all as one user.
  chmodSync(join(volume.dataDir, 'secrets'), 0o755);
  for (const name of readdirSync(join(volume.dataDir, 'secrets'))) {
    chmodSync(join(volume.dataDir, 'secrets', name), 0o644);
  }
  expect((await volume.run('backup', { input: { what: 'daily' }, backups })).failure).toBeUndefined();
}, 60_000);
afterAll(async () => {
  await volume?.remove();
  await far?.stop();
});

describe('an encrypted dump', () => {
  test('is restored with its key alone, and nothing of it stays open', async () => {
    await volume.query('DELETE FROM words');
    const without = await restore({ backup: idOf('dump'), replace: '1' });
    expect(without.failure).toContain('it is encrypted');
    expect(without.failure).toContain('BACKUP_IDENTITY_FILE');
    const wrong = await restore({ backup: 'latest', replace: '1', identity: await generateIdentity() });
    expect(wrong.failure).toContain('is not one it was encrypted to');
    expect(stages()).toEqual([]);
    expect(await count(volume)).toBe(0);
    const done = await restore({ backup: 'latest', replace: '1', identity });
    expect(done.failure).toBeUndefined();
    expect(done.result).toMatchObject({ what: idOf('dump'), rows: 1000 });
    expect(await count(volume)).toBe(1000);
    expect(stages()).toEqual([]);
  });

  test('that is damaged, or of which the key would open another content, changes nothing', async () => {
    const file = join(root(), 'dump', idOf('dump'), 'tools.dump.age');
    const whole = readFileSync(file);
    const bad = Buffer.from(whole);
    bad.writeUInt8((bad.at(-1) ?? 0) ^ 1, bad.length - 1);
    writeFileSync(file, bad);
    try {
      const done = await restore({ backup: idOf('dump'), replace: '1', identity });
      expect(done.failure).toContain('tools.dump.age has other content than when it was made');
      expect(await count(volume)).toBe(1000);
    } finally {
      writeFileSync(file, whole);
    }
  });

  test('that was unpacked has its manifest, is checked by it and restored from there', async () => {
    const key = join(volume.root, 'key');
    writeFileSync(key, identity);
    chmodSync(volume.root, 0o777);
    const into = join(volume.root, 'opened');
    const unpacked = await volume.run('unpack-backup', {
      input: { id: idOf('dump'), into, identity: key },
    });
    expect(unpacked.failure).toBeUndefined();
    const told = await volume.run('restore', { input: { backup: into, dryRun: '1' } });
    expect(told.result).toMatchObject({ what: idOf('dump'), rows: 1000 });
    await volume.query('DELETE FROM words');
    const done = await volume.run('restore', { input: { backup: into, replace: '1' } });
    expect(done.failure).toBeUndefined();
    expect(await count(volume)).toBe(1000);
    rmSync(into, { recursive: true });
  });
});

test('what a restore into the living server replaced is told of, comes back, and goes only when somebody says so', async () => {
  const keptNow = async (): Promise<string[]> => {
    const { result } = await volume.run('database-status');
    const { keptDatabases } = result as DatabaseStatus;
    for (const { since, bytes } of keptDatabases) {
      expect(Date.now() - Date.parse(since)).toBeLessThan(600_000);
      expect(bytes).toBeGreaterThan(1_000_000);
    }
    return keptDatabases.map(({ name }) => name);
  };
  const rollback = async (input: Readonly<Record<string, string>>): Promise<Ended> =>
    volume.run('rollback', { input });
  const before = await keptNow();
  expect(before.length).toBeGreaterThan(1);
  const [newest = ''] = before;
  expect((await rollback({ dryRun: '1' })).result).toMatchObject({ kind: 'database', name: newest });
  expect(await count(volume)).toBe(1000);
  const back = await rollback({});
  expect(back.failure).toBeUndefined();
  expect(await count(volume)).toBe(0);
  const { aside } = back.result as RollbackPlan;
  expect(await keptNow()).toEqual(expect.arrayContaining([aside, ...before.slice(1)]));
  expect((await rollback({ name: aside ?? '' })).failure).toBeUndefined();
  expect(await count(volume)).toBe(1000);

  await volume.admin('CREATE DATABASE "other_old_20260101T000000"');
  expect((await rollback({ name: 'other_old_20260101T000000' })).failure).toContain(
    'was not the database tools',
  );
  await volume.admin('DROP DATABASE "other_old_20260101T000000"');
  const [first = '', ...others] = await keptNow();
  expect((await rollback({ name: first, forget: '1', dryRun: '1' })).result).toMatchObject({ name: first });
  expect(await keptNow()).toEqual([first, ...others]);
  expect((await rollback({ name: first, forget: '1' })).failure).toBeUndefined();
  expect(await keptNow()).toEqual(others);
  expect((await rollback({ name: first })).failure).toContain('it is not kept');
  expect(await count(volume)).toBe(1000);
});

describe('assets', () => {
  const assets = (...path: string[]): string => join(volume.dataDir, 'assets', ...path);
  const files = (input: Readonly<Record<string, string>>): Promise<Ended> =>
    volume.run('restore-files', {
      input: { kind: 'assets', backup: 'latest', ...input },
      backups,
      asRoot: true,
    });

  test('are told of, refused where something is, and change places with it when told', async () => {
    writeFileSync(assets('a.png'), 'another');
    writeFileSync(assets('later.png'), 'later');
    const told = await files({ dryRun: '1' });
    expect(told.result).toMatchObject({
      what: idOf('assets'),
      files: 1,
      bytes: 6,
      folders: [{ folder: assets(), taken: true }],
    });
    expect((await files({})).failure).toContain(`there are files in ${assets()}`);
    expect(readFileSync(assets('a.png'), 'utf8')).toBe('another');
    const done = await files({ replace: '1' });
    expect(done.failure).toBeUndefined();
    expect(readdirSync(assets())).toEqual(['a.png']);
    expect(readFileSync(assets('a.png'), 'utf8')).toBe('a logo');
    const [{ kept } = { kept: '' }] = (done.result as RestoreFilesPlan).folders;
    expect(readFileSync(join(kept ?? '', 'later.png'), 'utf8')).toBe('later');
    expect(readdirSync(volume.dataDir).filter((name) => name.startsWith('.stage-'))).toEqual([]);
  });

  test('whose content is damaged change nothing, and a folder the plan does not have is not written', async () => {
    const blobs = join(root(), 'assets', 'blobs');
    const [folder = ''] = readdirSync(blobs);
    const [name = ''] = readdirSync(join(blobs, folder));
    writeFileSync(join(blobs, folder, name), 'A LOGO');
    writeFileSync(assets('a.png'), 'ours');
    const damaged = await files({ replace: '1' });
    expect(damaged.failure).toContain('its content in the backup is damaged');
    expect(readFileSync(assets('a.png'), 'utf8')).toBe('ours');
    writeFileSync(join(blobs, folder, name), 'a logo');
    const elsewhere = await volume.run('restore-files', {
      input: { kind: 'assets', backup: 'latest', replace: '1' },
      backups: { ...backups, assets: [join(volume.root, 'elsewhere')] },
      asRoot: true,
    });
    expect(elsewhere.failure).toContain('the plan has no folder');
  });
});

describe('configuration', () => {
  const config = (...path: string[]): string => join(volume.dataDir, 'config', ...path);
  const files = (input: Readonly<Record<string, string>>, more = backups): Promise<Ended> =>
    volume.run('restore-files', {
      input: { kind: 'config', backup: 'latest', ...input },
      backups: more,
      asRoot: true,
    });
  const take = async (more: typeof backups): Promise<void> => {
    const made = await volume.run('backup', { input: { what: 'config' }, backups: more });
    expect(made.failure).toBeUndefined();
  };
  const changes = ({ result }: Ended): string[] =>
    (result as RestoreFilesPlan).changes
      .filter(({ path }) => path.startsWith(config()))
      .map(({ path, what }) => `${what} ${path.slice(config().length + 1)}`);

  test('encrypted: is told file by file, written with its key, and what was there is kept', async () => {
    mkdirSync(config('deep'), { recursive: true });
    writeFileSync(config('app.env'), 'PORT=1\nAPI_KEY=correct-horse-battery\n');
    chmodSync(config('app.env'), 0o644);
    writeFileSync(config('deep', 'own.conf'), 'work_mem = 8MB\n');
    writeFileSync(config('same.conf'), 'x\n');
    await take(backups);
    writeFileSync(config('app.env'), 'PORT=2\n');
    rmSync(config('deep'), { recursive: true });
    expect((await files({})).failure).toContain('it is encrypted');
    const told = await files({ dryRun: '1', identity });
    expect(changes(told)).toEqual(['changed app.env', 'new deep/own.conf', 'same same.conf']);
    expect(readFileSync(config('app.env'), 'utf8')).toBe('PORT=2\n');
    const done = await files({ identity });
    expect(done.failure).toBeUndefined();
    expect(readFileSync(config('app.env'), 'utf8')).toBe('PORT=1\nAPI_KEY=correct-horse-battery\n');
    expect(readFileSync(config('deep', 'own.conf'), 'utf8')).toBe('work_mem = 8MB\n');
    const { kept = '' } = done.result as RestoreFilesPlan;
    expect(readFileSync(join(kept, config('app.env')), 'utf8')).toBe('PORT=2\n');
    expect(statSync(kept).mode & 0o077).toBe(0);
    expect(readdirSync(config()).sort()).toEqual(['app.env', 'deep', 'same.conf']);
    // What is kept there is no backup, and no sweep takes it.
    expect(readShelf(root(), ['config'])).toHaveLength(2);
    expect((await files({ identity })).result).toMatchObject({ files: 0 });
  });

  test('without secrets: never takes those that are there; and writes nothing the plan does not name', async () => {
    const plain = { ...backups, recipients: [], offsite: undefined };
    await take(plain);
    writeFileSync(config('app.env'), 'PORT=3\nAPI_KEY=another\n');
    writeFileSync(config('same.conf'), 'y\n');
    const done = await files({}, plain);
    expect(changes(done)).toEqual(['left app.env', 'same deep/own.conf', 'changed same.conf']);
    expect(readFileSync(config('app.env'), 'utf8')).toBe('PORT=3\nAPI_KEY=another\n');
    expect(readFileSync(config('same.conf'), 'utf8')).toBe('x\n');
    rmSync(config('app.env'));
    const anew = await files({}, plain);
    expect(changes(anew)).toContain('new app.env');
    expect(JSON.stringify(anew.result)).toContain('its secrets are not in this backup: line 2');
    // Whoever can write there could else lead a restore to any file of the machine.
    rmSync(config('deep'), { recursive: true });
    mkdirSync(join(volume.root, 'trap'));
    symlinkSync(join(volume.root, 'trap'), config('deep'));
    expect(changes(await files({}, plain))).toContain('left deep/own.conf');
    expect(readdirSync(join(volume.root, 'trap'))).toEqual([]);
    rmSync(config('same.conf'));
    const nowhere = await files({}, { ...plain, config: [config('deep')] });
    expect(changes(nowhere)).toContain('left same.conf');
    expect(readdirSync(config())).not.toContain('same.conf');
  });
});

describe('a machine on which nothing is', () => {
  let empty: TestVolume;
  beforeAll(async () => {
    empty = await makeEmptyVolume({ plan });
  });
  afterAll(() => empty?.remove());
  const alone = (program: 'restore' | 'fetch-backup' | 'verify-backups', input = {}): Promise<Ended> =>
    empty.run(program, { input: { ...input, alone: '1' }, backups, asRoot: true });

  test('gets the database back from a copy: looked at, fetched, checked, restored', async () => {
    const told = await alone('restore', { backup: 'latest', dryRun: '1', offsite: '1' });
    expect(told.failure).toBeUndefined();
    const { what, rows, replaced } = told.result as RestorePlan;
    expect({ what, rows, replaced }).toEqual({ what: idOf('dump'), rows: 1000, replaced: undefined });
    expect(readdirSync(empty.dataDir)).toEqual([]);

    expect((await alone('fetch-backup', { id: what })).failure).toBeUndefined();
    const verified = await alone('verify-backups', { ids: what });
    expect(verified.result).toMatchObject([{ id: what, ok: true, level: 'files' }]);
    const done = await alone('restore', { backup: what, identity });
    expect(done.failure).toBeUndefined();
    expect((await empty.boot()).failure).toBeUndefined();
    expect(await count(empty)).toBe(1000);
    // What was made without a supervisor belongs to whoever works on it beside one.
    const owner = statSync(join(empty.dataDir, 'backups')).uid;
    for (const name of ['lock', `dump/${what}`, `dump/${what}/manifest.json`]) {
      expect(statSync(join(empty.dataDir, 'backups', name)).uid).toBe(owner);
    }
  });

  test('a copy whose twin here has a flipped bit is fetched again', async () => {
    const file = join(empty.dataDir, 'backups', 'dump', idOf('dump'), 'tools.dump.age');
    const whole = readFileSync(file);
    const bad = Buffer.from(whole);
    bad.writeUInt8((bad.at(9) ?? 0) ^ 1, 9);
    writeFileSync(file, bad);
    writeFileSync(join(file, '..', 'pinned'), '');
    expect((await empty.run('fetch-backup', { input: { id: 'latest' }, backups })).failure).toBeUndefined();
    const { id, kind } = readShelf(join(empty.dataDir, 'backups'))[0] ?? { id: '', kind: '' };
    expect(
      (await empty.run('fetch-backup', { input: { id: idOf('dump') }, backups })).failure,
    ).toBeUndefined();
    expect(readFileSync(file).equals(whole)).toBe(true);
    expect(statSync(join(file, '..', 'pinned')).size).toBe(0);
    expect(readdirSync(join(empty.dataDir, 'backups', kind)).filter((name) => name !== 'blobs')).toEqual([
      id,
    ]);
  });
});
