import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { decodeDump } from '../../src/dumps/decode-dump.ts';
import { ZstdFrames } from '../../src/dumps/zstd-frames.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-zstd-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function decode(file: Buffer): Promise<string> {
  const path = join(folder, 'dump.sql.zst');
  writeFileSync(path, file);
  const { signal } = new AbortController();
  let text = '';
  for await (const chunk of decodeDump(path, { compression: 'zstd', signal, onRaw: () => undefined }))
    text += chunk.toString('latin1');
  return text;
}

function skippable(bytes: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a57);
  head.writeUInt32LE(bytes, 4);
  return Buffer.concat([head, Buffer.alloc(bytes, 0x28)]);
}

/** Zeros are blocks of one byte repeated; the others are packed or raw. */
const TEXTS = [
  '',
  'one\n',
  'x'.repeat(300_000),
  '\0'.repeat(400_000),
  Buffer.from(Array.from({ length: 200_000 }, (_, n) => (n * n * 2654435761) >>> 24)).toString('latin1'),
];

test('every frame of a file is read, whatever lies between them and wherever a chunk ends', async () => {
  const frames = TEXTS.flatMap((text) =>
    [0, 1].map((checksum) =>
      zstdCompressSync(Buffer.from(text, 'latin1'), {
        params: { [constants.ZSTD_c_checksumFlag]: checksum },
      }),
    ),
  );
  const file = Buffer.concat(frames.flatMap((frame, n) => [skippable(n), frame]));
  expect(await decode(file)).toBe(TEXTS.flatMap((text) => [text, text]).join(''));
  const pieces = frames.flatMap((frame, n) => [skippable(n), frame]).filter(({ length }) => length > 0);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 20 }), (cuts) => {
      const ends = new ZstdFrames();
      const found: number[] = [];
      let at = 0;
      for (let n = 0; at < file.length; n += 1) {
        const chunk = file.subarray(at, at + (cuts[n % cuts.length] ?? 1));
        for (const piece of ends.split(chunk)) {
          at += piece.length;
          found.push(at);
        }
      }
      let end = 0;
      for (const { length } of pieces) {
        end += length;
        expect(found).toContain(end);
      }
    }),
    { numRuns: 20 },
  );
});

test('what is cut within a frame, or no frame at all, is refused', async () => {
  const [one, two] = ['one\n', 'two\n'].map((text) => zstdCompressSync(Buffer.from(text)));
  if (!one || !two) throw new Error('no frames');
  await expect(decode(Buffer.concat([one, two.subarray(0, -2)]))).rejects.toThrow('cut off');
  await expect(decode(Buffer.concat([one, Buffer.from('-- SQL')]))).rejects.toThrow(/damaged|follows/);
  await expect(decode(Buffer.concat([one, Buffer.from('a')]))).rejects.toThrow(/damaged|follows|cut off/);
});
