import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTINUES, GOES_ON, LineSplitter, MAX_LINE } from '../../../src/supervisor/logs/split-lines.ts';

interface Piece {
  bytes: Buffer;
  part: number;
}

function split(chunks: readonly Buffer[]): Piece[] {
  const pieces: Piece[] = [];
  const splitter = new LineSplitter((bytes, start, end, _content, part) => {
    pieces.push({ bytes: Buffer.from(bytes.subarray(start, end)), part });
  });
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    splitter.push(reused);
    reused.fill(0);
  }
  splitter.flush();
  return pieces;
}

function join(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.flatMap(({ bytes, part }) => (part & GOES_ON ? [bytes] : [bytes, Buffer.from('\n')])),
  );
}

describe('splitting bytes into lines', () => {
  it('gives the same lines wherever the chunks are cut', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constant(''),
      fc.constant('x'.repeat(600)),
    );
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(4000)), (lines, cuts) => {
        const texts = lines.map((text) => text.replaceAll('\n', ' '));
        const all = Buffer.from(texts.map((text) => `${text}\n`).join(''));
        const edges = [0, ...cuts.filter((cut) => cut < all.length).sort((a, b) => a - b), all.length];
        const chunks = edges.slice(1).map((edge, index) => all.subarray(edges[index], edge));
        expect(split(chunks).map(({ bytes }) => bytes.toString())).toEqual(texts);
      }),
    );
  });

  it('loses no byte of lines longer than the longest, and cuts between characters', () => {
    const length = fc.integer({ min: MAX_LINE - 3, max: MAX_LINE * 3 });
    fc.assert(
      fc.property(
        length,
        fc.constantFrom('x', 'é', '€', '😀'),
        fc.integer({ min: 1, max: 100_000 }),
        (size, unit, step) => {
          const all = Buffer.from(
            `${'a'.repeat(size % 4)}${unit.repeat(Math.ceil(size / Buffer.byteLength(unit)))}\nnext\n`,
          );
          const chunks: Buffer[] = [];
          for (let at = 0; at < all.length; at += step) chunks.push(all.subarray(at, at + step));
          const pieces = split(chunks);
          expect(join(pieces).equals(all)).toBe(true);
          expect(
            pieces.every(({ bytes }) => bytes.length <= MAX_LINE && !bytes.toString().includes('\ufffd')),
          ).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps a line of exactly the longest length whole', () => {
    expect(split([Buffer.from(`${'x'.repeat(MAX_LINE)}\n`)]).map(({ part }) => part)).toEqual([0]);
    const pieces = split([Buffer.from('x'.repeat(MAX_LINE)), Buffer.from('\n')]);
    expect(join(pieces).length).toBe(MAX_LINE + 1);
  });

  it('marks the pieces of a cut line as going on and continuing', () => {
    const pieces = split([Buffer.from(`${'x'.repeat(MAX_LINE * 2 + 1)}\nshort\n`)]);
    expect(pieces.map(({ part }) => part)).toEqual([GOES_ON, GOES_ON | CONTINUES, CONTINUES, 0]);
  });

  it('gives out a last line that has no newline', () => {
    expect(split([Buffer.from('one\nlast words')]).map(({ bytes }) => bytes.toString())).toEqual([
      'one',
      'last words',
    ]);
  });

  it('cuts bytes that are no UTF-8 at the longest length', () => {
    const pieces = split([Buffer.alloc(MAX_LINE + 10, 0x80)]);
    expect(pieces.map(({ bytes }) => bytes.length)).toEqual([MAX_LINE, 10]);
  });
});
