import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeWorkFolder } from '../src/browser/folder.ts';
import { startOf } from '../src/browser/tree.ts';
import { keepAsset, sweepAssets } from '../src/images/assets.ts';

const base = mkdtempSync(join(tmpdir(), 'scraper-test-'));
after(() => rmSync(base, { recursive: true, force: true }));

test('a picture has the name of its content, and a retry finds it', async () => {
  const assets = join(base, 'a');
  const one = await keepAsset(assets, 'logos', 7, Buffer.from('one'));
  assert.match(one, /^logos\/7-[0-9a-f]{16}\.webp$/);
  assert.equal(await keepAsset(assets, 'logos', 7, Buffer.from('one')), one);
  const two = await keepAsset(assets, 'logos', 7, Buffer.from('two'));
  assert.notEqual(two, one);
  assert.deepEqual(
    readdirSync(join(assets, 'logos'))
      .map((name) => `logos/${name}`)
      .toSorted(),
    [one, two].toSorted(),
  );
});

test('a half file of the same name is written again', async () => {
  const assets = join(base, 'b');
  const path = await keepAsset(assets, 'logos', 7, Buffer.from('whole'));
  writeFileSync(join(assets, path), 'who');
  assert.equal(await keepAsset(assets, 'logos', 7, Buffer.from('whole')), path);
});

test("a sweep takes what the tool shows no more and what kills left, and nobody else's", async () => {
  const assets = join(base, 'c');
  const keep = [];
  for (const kind of ['logos', 'screenshots'] as const) {
    await keepAsset(assets, kind, 7, Buffer.from('old'));
    keep.push(await keepAsset(assets, kind, 7, Buffer.from('new')));
    await keepAsset(assets, kind, 77, Buffer.from('another tool'));
  }
  const folder = join(assets, 'logos');
  writeFileSync(join(folder, 'mine.webp'), '');
  writeFileSync(join(folder, '.7-writing.tmp'), '');
  writeFileSync(join(folder, '.9-killed.tmp'), '');
  const longAgo = Date.now() / 1000 - 7200;
  utimesSync(join(folder, '.9-killed.tmp'), longAgo, longAgo);
  assert.equal(await sweepAssets(assets, 7, keep), 3);
  assert.equal(readdirSync(folder).length, 4);
  assert.ok(readdirSync(folder).includes('.7-writing.tmp'));
  assert.equal(await sweepAssets(join(base, 'none'), 7, []), 0);
});

test('a work folder of a process that is no more is removed by the next start, and no other', () => {
  const place = join(base, 'd');
  const alive = `scraper-${process.pid}-${Number(startOf(process.pid)).toString(36)}-abc`;
  // The pid lives, but began at another time: somebody else has it now.
  const gone = [`scraper-${process.pid}-1-abc`, 'scraper-4194304-5-abc'];
  for (const name of [alive, ...gone, 'scraper-notes', 'other'])
    mkdirSync(join(place, name), { recursive: true });
  writeFileSync(join(place, gone[0] ?? '', 'SingletonLock'), '');
  const folder = makeWorkFolder(place);
  const left = readdirSync(place).toSorted();
  assert.equal(left.length, 4, left.join());
  assert.ok(left.includes(alive) && left.includes('other') && left.includes('scraper-notes'));
  folder.remove();
  assert.equal(readdirSync(place).length, 3);
});
