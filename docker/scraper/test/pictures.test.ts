import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { makeLogo, makeScreenshot } from '../src/images/pictures.ts';
import { makePng } from './site/site.ts';

const MOST = 40_000_000;

/** An .ico with one picture of 32 bits a pixel, as old sites have it. */
function makeIco(size: number, picture?: Buffer): Buffer {
  const header = Buffer.alloc(22);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(1, 4);
  header.set([size, size, 0, 0, 1, 0, 32, 0], 6);
  const bitmap = Buffer.alloc(40 + size * size * 4 + Math.ceil(size / 32) * 4 * size, 0x80);
  bitmap.fill(0, 0, 40);
  bitmap.writeUInt32LE(40, 0);
  bitmap.writeInt32LE(size, 4);
  bitmap.writeInt32LE(size * 2, 8);
  bitmap.writeUInt16LE(1, 12);
  bitmap.writeUInt16LE(32, 14);
  const content = picture ?? bitmap;
  header.writeUInt32LE(content.length, 14);
  header.writeUInt32LE(22, 18);
  return Buffer.concat([header, content]);
}

async function shapeOf(file: Buffer) {
  const { format, width, height } = await sharp(file).metadata();
  return `${format} ${width}x${height}`;
}

test('logos of every kind become one size', async () => {
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="4"/></svg>',
  );
  const jpeg = await sharp(makePng(300, 9)).jpeg().toBuffer();
  for (const file of [makePng(64, 3), makePng(500, 3), svg, jpeg, makeIco(32), makeIco(64, makePng(64, 1))]) {
    assert.equal(await shapeOf(await makeLogo(file, MOST)), 'webp 128x128');
  }
});

test('what is no picture, a smear, or a bomb is refused', async () => {
  const files = [
    Buffer.alloc(0),
    Buffer.from('<html>not here</html>'),
    makePng(16, 3),
    makeIco(16),
    makePng(64, 3).subarray(0, 60),
    makeIco(32).subarray(0, 100),
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="90000" height="90000"></svg>'),
  ];
  for (const [index, file] of files.entries()) await assert.rejects(makeLogo(file, MOST), `file ${index}`);
  await assert.rejects(makeLogo(makePng(200, 3), 200 * 199), /pixel limit/);
});

test('a drawing reads no files', async () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="64"><image xlink:href="file://${import.meta.dirname}/none.png" width="64" height="64"/></svg>`;
  const { data } = await sharp(await makeLogo(Buffer.from(svg), MOST))
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.ok(data.every((byte) => byte === 0));
});

test('a screenshot has one size', async () => {
  assert.equal(await shapeOf(await makeScreenshot(makePng(400, 3), MOST)), 'webp 1280x800');
});
