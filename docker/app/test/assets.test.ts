import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AboutTexts, aboutTool } from '../lib/about.ts';
import { GET } from '../app/assets/[kind]/[name]/route.ts';
import { assetAddress, openAsset } from '../lib/assets.ts';

const base = mkdtempSync(join(tmpdir(), 'app-assets-'));
process.env.ASSETS_DIR = join(base, 'assets');
after(() => rmSync(base, { recursive: true, force: true }));

const name = '17-0123456789abcdef.webp';
mkdirSync(join(base, 'assets', 'logos'), { recursive: true });
mkdirSync(join(base, 'assets', 'screenshots', name), { recursive: true });
writeFileSync(join(base, 'assets', 'logos', name), 'picture');
writeFileSync(join(base, 'assets', 'secret.webp'), 'secret');
writeFileSync(join(base, '1-0123456789abcdef.webp'), 'secret');
symlinkSync('/etc/passwd', join(base, 'assets', 'logos', '18-0123456789abcdef.webp'));

test('a picture is opened by the name that the scraper gave it', async () => {
  const found = await openAsset('logos', name);
  assert.equal(found?.size, 7);
  assert.equal(await found?.file.readFile('utf8'), 'picture');
  await found?.file.close();
});

test('nothing else is opened: no way up, no link, no folder, no other file', async () => {
  const asked = [
    ['logos', '../secret.webp'],
    ['..', name],
    ['..', '1-0123456789abcdef.webp'],
    ['.', 'secret.webp'],
    ['logos/..', name],
    ['logos', `../../${name}`],
    ['logos', `${name}\0.png`],
    ['logos', `${name}\n`],
    ['logos', '%2e%2e%2fsecret.webp'],
    ['logos', '18-0123456789abcdef.webp'],
    ['screenshots', name],
    ['logos', '19-0123456789abcdef.webp'],
    ['logos', ''],
    ['constructor', 'name'],
  ] as const;
  for (const [kind, file] of asked) assert.equal(await openAsset(kind, file), null, `${kind} ${file}`);
});

test('the route answers with a picture for ever, and with 404 for all else', async () => {
  const get = (kind: string, file: string, method = 'GET') =>
    GET(new Request('http://x/', { method }), { params: Promise.resolve({ kind, name: file }) });
  const found = await get('logos', name);
  assert.equal(found.status, 200);
  assert.equal(found.headers.get('content-type'), 'image/webp');
  assert.equal(found.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  assert.equal(await found.text(), 'picture');
  const head = await get('logos', name, 'HEAD');
  assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '7', '']);
  const missing = await get('..', name);
  assert.deepEqual([missing.status, missing.headers.get('cache-control')], [404, 'no-store']);
});

test('a picture that is not there is none', () => {
  assert.equal(assetAddress(`logos/${name}`), `/assets/logos/${name}`);
  for (const path of [null, '', 'logos/nova.webp', 'logos/19-0123456789abcdef.webp', `logos/x/${name}`, `../logos/${name}`]) {
    assert.equal(assetAddress(path), null, String(path));
  }
});

const nothing: AboutTexts = {
  summary_en: 'Sums.',
  summary_fr: null,
  description_en: null,
  description_fr: null,
  written_en: null,
  written_fr: null,
  site_description: null,
  site_language: null,
};

test("people's words come first, the reader's language before another, the website's where nobody wrote", () => {
  assert.deepEqual(aboutTool('en', nothing), { text: 'Sums.' });
  assert.deepEqual(aboutTool('fr', nothing), { text: 'Sums.', lang: 'en' });
  assert.deepEqual(aboutTool('fr', { ...nothing, summary_fr: 'Somme.' }), { text: 'Somme.' });
  const site = { ...nothing, site_description: 'Von selbst.', site_language: 'de-CH' };
  assert.deepEqual(aboutTool('en', site), { text: 'Von selbst.', lang: 'de-CH' });
  assert.deepEqual(aboutTool('en', { ...site, site_language: 'en-GB' }), { text: 'Von selbst.' });
  const written = { ...site, written_en: 'Written.', written_fr: 'Écrit.' };
  assert.deepEqual(aboutTool('fr', written), { text: 'Écrit.' });
  const both = { ...written, description_en: 'By hand.' };
  assert.deepEqual(aboutTool('en', both), { text: 'By hand.' });
  assert.deepEqual(aboutTool('fr', both), { text: 'Écrit.' });
  assert.deepEqual(aboutTool('fr', { ...both, written_fr: null }), { text: 'By hand.', lang: 'en' });
});
