import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readShelf, type ShelvedBackup } from '../../src/backups/shelf.ts';
import type { BackupRunResult } from '../../src/protocol/backups.ts';
import type { Ended, TestVolume } from '../support/postgres.ts';
import { startTestStore, type TestStore } from '../support/s3-store.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
let far: TestStore;
const keyOf = { identity: '' };

beforeAll(async () => {
  far = await startTestStore();
  volume = await makeVolume({ plan: { settings: { fsync: 'off', autovacuum: 'off' } } });
  expect((await volume.boot()).failure).toBeUndefined();
  await volume.query('CREATE TABLE words AS SELECT n, md5(n::text) AS word FROM generate_series(1, 1000) n');
  mkdirSync(join(volume.dataDir, 'assets', 'logos'), { recursive: true });
  writeFileSync(join(volume.dataDir, 'assets', 'logos', 'a.png'), 'a logo');
  mkdirSync(join(volume.dataDir, 'config'), { recursive: true });
  writeFileSync(join(volume.dataDir, 'config', 'app.env'), 'API_KEY=correct-horse-battery\n');
  // A test that is not root runs it all as one user.
  chmodSync(join(volume.dataDir, 'secrets'), 0o755);
  for (const name of readdirSync(join(volume.dataDir, 'secrets'))) {
    chmodSync(join(volume.dataDir, 'secrets', name), 0o644);
  }
});
afterAll(async () => {
  await volume?.remove();
  await far?.stop();
});

const root = (): string => join(volume.dataDir, 'backups');
const shelf = (): ShelvedBackup[] => readShelf(root());
const kinds = (): string[] => shelf().map(({ kind, broken }) => `${kind}${broken ?? ''}`);

async function run(what: string, backups: Parameters<TestVolume['run']>[1] = {}): Promise<Ended> {
  return volume.run('backup', { input: { what }, ...backups });
}

test('daily: database, assets and configuration; a store that is away costs the copies alone, and they are caught up', async () => {
  const offsite = far.plan;
  far.disturb = () => 'refuse';
  const lonely = await run('daily', { backups: { offsite: { ...offsite, endpoint: 'http://127.0.0.1:1' } } });
  far.disturb = undefined;
  expect(lonely.code).toBe(1);
  expect(lonely.failure).toMatch(
    /^the backup is saved here, but not offsite: cannot list dump in s3:\/\/box\/shop/,
  );
  expect((lonely.result as BackupRunResult).made.map(({ verified }) => verified.level)).toEqual([
    'restored',
    'readable',
    'readable',
  ]);
  expect(lonely.notes.join()).toContain('left out of the backup as a secret');
  expect(shelf().map(({ offsite: copies }) => copies)).toEqual([[], [], []]);

  const later = await run('assets', { backups: { offsite } });
  expect(later.failure).toBeUndefined();
  expect(kinds().sort()).toEqual(['assets', 'assets', 'config', 'dump']);
  expect(new Set(shelf().map(({ offsite: copies }) => copies.join()))).toEqual(new Set(['s3://box/shop']));
});

test('with recipients the database and the secrets lie and leave encrypted, verified before that', async () => {
  rmSync(root(), { recursive: true });
  mkdirSync(root(), { mode: 0o777 });
  chmodSync(root(), 0o777);
  const identity = await generateIdentity();
  keyOf.identity = identity;
  const recipients = [await identityToRecipient(identity)];
  const ended = await run('daily', { backups: { recipients, offsite: { ...far.plan, prefix: 'sealed' } } });
  expect(ended.failure).toBeUndefined();
  const made = (ended.result as BackupRunResult).made.map(
    ({ backup }) => `${backup.kind} ${backup.verified?.level}`,
  );
  expect(made).toEqual(['dump restored', 'assets readable', 'config readable']);
  const files = shelf().flatMap(({ manifest }) => manifest?.files.map(({ path }) => path) ?? []);
  expect(files.sort()).toEqual(['config.tar.zst.age', 'globals.sql.age', 'tools.dump.age', 'tree.jsonl.zst']);
  expect(shelf().every(({ offsite }) => offsite.length === 1)).toBe(true);
  // A later look shows what can be shown, and takes nothing of what was.
  const again = await volume.run('verify-backups', { input: { all: 'yes' } });
  expect(again.result).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
  for (const { folder, kind } of shelf()) {
    const { level } = JSON.parse(readFileSync(join(folder, 'verified.json'), 'utf8'));
    expect(`${kind} ${level}`).toBe(kind === 'dump' ? 'dump restored' : `${kind} readable`);
  }
});

test('copies are listed and fetched, and unpacked with the identity alone', async () => {
  const { offsite, recipients } = { offsite: { ...far.plan, prefix: 'sealed' }, recipients: [] };
  const there = await volume.run('fetch-backup', { backups: { offsite, recipients } });
  const { list } = there.result as { list: readonly { id: string }[] };
  expect(list.map(({ id }) => id.split('-')[1]).sort()).toEqual(['assets', 'config', 'dump']);
  const dump = list.map(({ id }) => id).find((id) => id.includes('-dump-')) ?? '';
  rmSync(join(root(), 'dump', dump), { recursive: true });
  const fetched = await volume.run('fetch-backup', { input: { id: dump }, backups: { offsite } });
  expect(fetched.failure).toBeUndefined();
  expect(shelf().find(({ id }) => id === dump)?.broken).toBeUndefined();

  const config = list.map(({ id }) => id).find((id) => id.includes('-config-')) ?? '';
  const key = join(volume.root, 'key');
  writeFileSync(key, keyOf.identity);
  chmodSync(volume.root, 0o777);
  const unpack = async (id: string, into: string, input = {}): Promise<Ended> =>
    volume.run('unpack-backup', { input: { id, into: join(volume.root, into), ...input } });
  expect((await unpack(config, 'c0')).failure).toContain('it is encrypted');
  expect((await unpack(config, 'c', { identity: key })).failure).toBeUndefined();
  const env = join(volume.root, 'c', volume.dataDir, 'config', 'app.env');
  expect(readFileSync(env, 'utf8')).toBe('API_KEY=correct-horse-battery\n');
  expect((await unpack(dump, 'd', { identity: key })).failure).toBeUndefined();
  expect(readFileSync(join(volume.root, 'd', 'tools.dump'), 'latin1').slice(0, 5)).toBe('PGDMP');
  const assets = list.map(({ id }) => id).find((id) => id.includes('-assets-')) ?? '';
  expect((await unpack(assets, 'a')).failure).toBeUndefined();
  expect(readFileSync(join(volume.root, 'a', 'assets', 'logos', 'a.png'), 'utf8')).toBe('a logo');
  expect((await unpack(assets, 'a')).failure).toContain('there is something of that name');
});

test('damage to a content shows, and contents nobody needs go with the backups that need them', async () => {
  // Files were taken after it, and yet it is what "the latest" means where nobody says more.
  expect((await run('assets')).failure).toBeUndefined();
  const latest = await volume.run('verify-backups', { input: { level: 'files' } });
  expect(latest.result).toMatchObject([{ id: expect.stringContaining('-dump'), ok: true }]);
  const blobs = join(root(), 'assets', 'blobs');
  const [folder = ''] = readdirSync(blobs);
  const [name = ''] = readdirSync(join(blobs, folder));
  writeFileSync(join(blobs, folder, name), 'A LOGO');
  const all = await volume.run('verify-backups', { input: { all: 'yes', level: 'readable' } });
  expect(JSON.stringify(all.result)).toContain('the content of assets/logos/a.png is damaged');
  for (const { kind, folder: old } of shelf()) if (kind === 'assets') rmSync(old, { recursive: true });
  await volume.run('prune-backups', {});
  expect(readdirSync(blobs).flatMap((each) => readdirSync(join(blobs, each)))).toEqual([]);
});
