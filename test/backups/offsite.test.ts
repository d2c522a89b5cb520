import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { verifyAssets } from '../../src/backups/assets/read-assets.ts';
import { readFarShelf } from '../../src/backups/offsite/far-shelf.ts';
import { fetchBackup } from '../../src/backups/offsite/fetch.ts';
import { openS3Store } from '../../src/backups/offsite/s3-store.ts';
import type { Store } from '../../src/backups/offsite/store.ts';
import { type Synced, syncOffsite } from '../../src/backups/offsite/sync-offsite.ts';
import { readShelf } from '../../src/backups/shelf.ts';
import { startTestStore, type TestStore } from '../support/s3-store.ts';
import { INSTALL, shelveAssets, shelveBytes } from '../support/shelved.ts';

const signal = new AbortController().signal;
const rules = { days: 30, weekly: 0, monthly: 0, verified: 3 };
const NOW = Date.parse('2026-06-30T12:00:00Z');
const DAY = 86_400_000;
let far: TestStore;
let store: Store;
let data: string;
let root: string;
let assets: string;

beforeAll(async () => {
  far = await startTestStore();
});
afterAll(() => far.stop());
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'bulkhead-offsite-'));
  root = join(data, 'backups');
  assets = join(data, 'assets');
  mkdirSync(assets);
  // A bucket of its own would cost a server of its own.
  store = openS3Store({ ...far.plan, prefix: `shop/${data.slice(-6)}` }, signal);
});
afterEach(() => {
  far.disturb = undefined;
  store.close();
  rmSync(data, { recursive: true, force: true });
});

const blobs = (): string => join(root, 'assets', 'blobs');
const fileOf = (key: string): string => far.fileOf(`${data.slice(-6)}/${key}`);
const ago = (days: number): Date => new Date(NOW - days * DAY);

function sync(now = NOW, installId = INSTALL): Promise<Synced> {
  return syncOffsite({ store, shelf: readShelf(root), blobs: blobs(), rules, installId, now });
}

async function keysThere(): Promise<string[]> {
  const keys: string[] = [];
  for (const folder of ['dump', 'base', 'assets', 'config']) {
    for await (const { key } of store.list(folder)) keys.push(key);
  }
  return keys.sort();
}

function writeAsset(name: string, content: string): void {
  mkdirSync(join(assets, name, '..'), { recursive: true });
  writeFileSync(join(assets, name), content);
}

test('a backup is copied with its manifest last, in parts where it is large, and not a second time', async () => {
  const large = randomBytes(20 * 1024 ** 2);
  const backup = shelveBytes(
    'dump',
    { 'shop.dump': large, 'deep/globals.sql': Buffer.from('roles') },
    { root, at: ago(1) },
  );
  far.taken();
  expect(await sync()).toMatchObject({ copied: [backup.id], removed: [] });
  const puts = far.taken().filter((line) => line.startsWith('PUT'));
  expect(puts.filter((line) => line.endsWith('shop.dump'))).toHaveLength(3);
  expect(puts.at(-1)).toMatch(/manifest\.json$/);
  expect(await store.head(`dump/${backup.id}/shop.dump`)).toEqual({
    size: large.length,
    sha256: createHash('sha256').update(large).digest('hex'),
  });
  expect(readShelf(root)[0]?.offsite).toEqual([store.where]);
  expect(await sync()).toEqual({ copied: [], removed: [], objects: 0, bytes: 0 });
  expect(far.taken().filter((line) => line.startsWith('PUT'))).toEqual([]);
});

test('of assets only new contents go, and what is fetched is what was backed up', async () => {
  writeAsset('a/one.png', 'one');
  writeAsset('a/same.png', 'one');
  writeAsset('b/two.png', 'two');
  const first = await shelveAssets(assets, { root, at: ago(2) });
  expect(await sync()).toMatchObject({ copied: [first.id], objects: 4 });
  writeAsset('b/two.png', 'two, changed');
  const second = await shelveAssets(assets, { root, at: ago(1), previous: first });
  far.taken();
  expect(await sync()).toMatchObject({ copied: [second.id], objects: 3 });
  expect(far.taken().filter((line) => line.startsWith('PUT') && line.includes('/blobs/'))).toHaveLength(1);

  // The volume is lost.
  rmSync(root, { recursive: true });
  const shelf = await readFarShelf(store);
  expect(shelf.map(({ id }) => id)).toEqual([second.id, first.id]);
  for (const backup of shelf) {
    const fetched = await fetchBackup(store, backup, { root, blobs: blobs(), signal });
    expect(fetched.offsite).toEqual([store.where]);
    const tree = join(fetched.folder, 'tree.jsonl.zst');
    expect(await verifyAssets(tree, blobs(), { signal })).toMatchObject({ files: 3, problems: [] });
  }
  expect(readdirSync(join(root, 'assets')).sort()).toEqual([first.id, second.id, 'blobs'].sort());
});

test('case 23: a failure in mid-upload leaves no manifest, and the next run goes on where it ended', async () => {
  writeAsset('one.png', 'one');
  writeAsset('two.png', 'two');
  const dump = shelveBytes('dump', { 'shop.dump': randomBytes(9 * 1024 ** 2) }, { root, at: ago(1) });
  const files = await shelveAssets(assets, { root, at: ago(1) });
  let parts = 0;
  far.disturb = (method, key) =>
    method === 'PUT' && key.endsWith('shop.dump') && ++parts > 1 ? 'hang up' : undefined;
  await expect(sync()).rejects.toThrow(`cannot copy dump/${dump.id}/shop.dump to ${store.where}`);
  far.disturb = (method, key) => (method === 'PUT' && key.endsWith('tree.jsonl.zst') ? 'refuse' : undefined);
  await expect(sync()).rejects.toThrow('tree.jsonl.zst');
  expect((await keysThere()).filter((key) => key.endsWith('manifest.json'))).toEqual([
    `dump/${dump.id}/manifest.json`,
  ]);
  expect(readShelf(root, ['assets'])[0]?.offsite).toEqual([]);
  far.disturb = undefined;
  far.taken();
  expect(await sync()).toMatchObject({ copied: [files.id] });
  expect(far.taken().filter((line) => line.startsWith('PUT') && line.includes('/blobs/'))).toEqual([]);
});

test('a store that stumbles is asked again', async () => {
  shelveBytes('dump', { 'shop.dump': Buffer.from('content') }, { root, at: ago(1) });
  let refused = 0;
  far.disturb = (method) => (method === 'PUT' && ++refused <= 2 ? 'refuse' : undefined);
  expect((await sync()).copied).toHaveLength(1);
  expect(refused).toBeGreaterThan(2);
});

test('what the store does not keep whole is no copy, and a cut or changed object is not taken back', async () => {
  const dump = shelveBytes('dump', { 'shop.dump': Buffer.from('content of the dump') }, { root, at: ago(1) });
  await sync();
  const [there] = await readFarShelf(store);
  if (!there) throw new Error('there is no copy');
  rmSync(root, { recursive: true });
  const object = fileOf(`dump/${dump.id}/shop.dump`);
  const whole = readFileSync(object);
  for (const [content, why] of [
    [whole.subarray(0, 7), 'it has 7 bytes instead of 19'],
    [Buffer.from('content of a dump !'), 'its content is not what the manifest says'],
  ] as const) {
    writeFileSync(object, content);
    await expect(fetchBackup(store, there, { root, blobs: blobs(), signal })).rejects.toThrow(why);
    expect(readShelf(root)).toEqual([]);
    expect(readdirSync(join(root, 'dump'))).toEqual([]);
  }
  // And copied again where the size shows it.
  const again = shelveBytes(
    'dump',
    { 'shop.dump': Buffer.from('content of the dump') },
    { root, at: ago(2) },
  );
  await sync();
  truncateSync(fileOf(`dump/${again.id}/shop.dump`), 3);
  rmSync(join(again.folder, 'offsite.json'));
  expect((await sync()).copied).toEqual([again.id]);
  expect(readFileSync(fileOf(`dump/${again.id}/shop.dump`), 'utf8')).toBe('content of the dump');
});

test('wrong keys are told without the secret, and so is a store that is not there', async () => {
  shelveBytes('dump', { 'shop.dump': Buffer.from('content') }, { root, at: ago(1) });
  store.close();
  const secretAccessKey = 'a-very-secret-key-of-the-bucket';
  store = openS3Store({ ...far.plan, accessKeyId: 'WRONG', secretAccessKey }, signal);
  const error: unknown = await sync().catch((failure: unknown) => failure);
  expect(String(error)).toContain('cannot list dump in s3://box/shop');
  expect(error).toHaveProperty(
    'remedy',
    expect.stringContaining('check access_key_id and secret_access_key'),
  );
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(secretAccessKey);
  store.close();
  store = openS3Store({ ...far.plan, bucket: 'nowhere' }, signal);
  await expect(sync()).rejects.toThrow('The specified bucket does not exist');
  store.close();
  store = openS3Store({ ...far.plan, endpoint: 'http://127.0.0.1:1' }, signal);
  await expect(sync()).rejects.toThrow('ECONNREFUSED');
}, 60_000);

test('case 24: foreign objects, other installations and the last verified are never removed', async () => {
  writeAsset('kept.png', 'kept');
  writeAsset('gone.png', 'gone');
  const strangers = await shelveAssets(assets, { root, at: ago(300), installId: 'another' });
  const old = await shelveAssets(assets, { root, at: ago(200) });
  rmSync(join(assets, 'gone.png'));
  for (const days of [101, 100.5, 100]) await shelveAssets(assets, { root, at: ago(days) });
  const dumps = [50, 45, 40].map((days) =>
    shelveBytes('dump', { 'shop.dump': Buffer.from(`dump ${days}`) }, { root, at: ago(days) }),
  );
  // Copied while they were young, the stranger's by its own hand.
  await sync(Date.parse(strangers.startedAt), 'another');
  rmSync(strangers.folder, { recursive: true });
  await sync(ago(39).getTime());
  const foreign = [
    'dump/notes.txt',
    `dump/20200101T000000Z-dump-abcdef/shop.dump`,
    'assets/blobs/zz/unknown',
    'else/x',
  ];
  for (const key of foreign) await store.putText(key, 'not ours');

  const { removed } = await sync();
  expect(removed).toEqual([]);
  // Three younger ones that are verified, and the oldest may go; of the dumps none, they are the last three.
  for (const days of [3, 2, 1]) await shelveAssets(assets, { root, at: ago(days) });
  const { removed: later } = await sync();
  const there = await keysThere();
  expect(later).toContain(old.id);
  expect(later).not.toContain(strangers.id);
  expect(there.filter((key) => key.includes(old.id))).toEqual([]);
  expect(there).toContain(`assets/${strangers.id}/manifest.json`);
  expect(there).toEqual(expect.arrayContaining(foreign.slice(0, 3)));
  for (const dump of dumps) expect(there).toContain(`dump/${dump.id}/manifest.json`);
  // Its content "gone" is still named by the stranger's tree.
  const sha256 = createHash('sha256').update('gone').digest('hex');
  expect(there).toContain(`assets/blobs/${sha256.slice(0, 2)}/${sha256}`);
});
