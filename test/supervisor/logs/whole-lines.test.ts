import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPrintableAscii, runsOf } from '../../../src/supervisor/logs/whole-lines.ts';
import { openFixture } from './fakes.ts';

/** A line as services write them, and as they should not. */
const line = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '\r', '\t', '$&', '\u001b[31mred\u001b[0m', 'é€😀', '\u0000x', '\u007f'),
  },
  { weight: 1, arbitrary: fc.constantFrom('{"level":30,"msg":"said"}', '{', '"quoted" \\ text') },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 140_000 }).map((length) => 'y'.repeat(length)) },
);

/** What the file and standard output have of these bytes when they come in chunks of so many. */
async function logged(bytes: Buffer, chunk: number, format: 'text' | 'json'): Promise<string[]> {
  const { attach, logs, output, file } = openFixture({ format });
  const { stdout, stderr, drained } = attach('web');
  for (let at = 0; at < bytes.length; at += chunk) {
    stdout.send(bytes.subarray(at, at + chunk));
    // The queues are bounded: what is not taken away in time would be dropped.
    await new Promise((resolve) => setImmediate(resolve));
  }
  stdout.end();
  stderr.end();
  await drained;
  await logs.close(1000);
  return [file('web').text, output.text];
}

describe('lines taken by the hundred', () => {
  test.each(['text', 'json'] as const)(
    'are stored and shown as one by one, whatever is in them: %s',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(line, { minLength: 1, maxLength: 400 }),
          fc.integer({ min: 5000, max: 300_000 }),
          fc.boolean(),
          async (lines, chunk, ended) => {
            const bytes = Buffer.from(lines.join('\n') + (ended ? '\n' : ''));
            // Below 2 KiB every line is looked at alone.
            expect(await logged(bytes, chunk, format)).toEqual(await logged(bytes, 1999, format));
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  test('keep broken UTF-8 and every other byte in the file', async () => {
    const every = Buffer.from(
      Array.from({ length: 255 }, (_, byte) => byte + 1).filter((byte) => byte !== 0x0a),
    );
    const lines = Buffer.concat(Array.from({ length: 40 }, () => Buffer.concat([every, Buffer.from('\n')])));
    expect(await logged(lines, 100_000, 'text')).toEqual(await logged(lines, 100, 'text'));
  });

  test('cost nothing for standard output where that is /dev/null', async () => {
    const { attach, output, file, logs } = openFixture();
    output.isDiscarded = true;
    const { stdout } = attach('web');
    stdout.send('one\n');
    stdout.send('two\n'.repeat(2000));
    await logs.close(1000);
    expect(output.text).toBe('');
    expect(file('web').lines).toHaveLength(2001);
  });
});

describe('runs of whole lines', () => {
  test('cover the chunk up to the unfinished line, each at most 32 KiB and ending with a newline', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 30 }), (lengths) => {
        const chunk = Buffer.from(`${lengths.map((length) => `${'z'.repeat(length)}\n`).join('')}rest`);
        let at = 0;
        const end = runsOf(chunk, 0, (start, stop) => {
          expect(start).toBe(at);
          expect(stop - start).toBeLessThanOrEqual(32 * 1024);
          expect(chunk[stop - 1]).toBe(0x0a);
          at = stop;
        });
        expect(end).toBe(at);
      }),
    );
  });

  test('are printable exactly when each of their bytes is', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ min: 9, max: 130, maxLength: 60 }),
        fc.integer({ min: 0, max: 7 }),
        (values, offset) => {
          const memory = Buffer.alloc(values.length + offset, 0);
          memory.set(values, offset);
          const plain = values.every((byte) => byte === 9 || byte === 10 || (byte >= 32 && byte < 127));
          expect(isPrintableAscii(memory.subarray(offset))).toBe(plain);
        },
      ),
    );
  });
});
