import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readShelf } from '../../src/backups/shelf.ts';
import type { RestorePlan } from '../../src/protocol/operations.ts';
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
