import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { JournalFile } from '../../src/system/journal-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-journal-file-'));
const path = join(folder, 'journal');
let handles: FileHandle;

beforeAll(async () => {
  const file = await open(join(folder, 'any'), 'w');
  handles = Object.getPrototypeOf(file);
  await file.close();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

/** What the disk does with the next writes: so many bytes of each are written, and then there is no room. -1: all is well. */
function fail(script: readonly number[]): void {
  const left = [...script];
  const real = handles.write as (...args: unknown[]) => Promise<{ bytesWritten: number }>;
  vi.spyOn(handles, 'write').mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
    const [bytes, from, length, position] = args as [Buffer, number, number, number | null];
    const share = left.shift() ?? -1;
    if (share < 0) return real.call(this, bytes, from, length, position);
    await real.call(this, bytes, from, Math.min(share, length), position);
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  } as never);
}

/** What the next life reads, had this one ended here. */
async function readNow(): Promise<readonly object[]> {
  const copy = `${path}.copy`;
  writeFileSync(copy, readFileSync(path));
  return (await new JournalFile(copy).read()).lines;
}

test('whatever writes are torn, the file holds every line that was told to be safe, in order, and none that was refused', async () => {
  const write = fc.record({ torn: fc.integer({ min: -1, max: 60 }), lines: fc.integer({ min: 1, max: 3 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 8 }), fc.boolean(), async (script, waits) => {
      const file = new JournalFile(path);
      await file.rewrite(() => [{ first: true }]);
      fail(script.map(({ torn }) => torn));
      const safe: object[] = [{ first: true }];
      let n = 0;
      const told: Promise<void>[] = [];
      for (const { lines } of script) {
        const batch = Array.from({ length: lines }, () => {
          n += 1;
          const line = { n, text: 'a\nb ü' };
          // Those of one batch share their fate, and tell it in order.
          return file.append(line).then(
            () => void safe.push(line),
            () => undefined,
          );
        });
        told.push(...batch);
        if (waits) {
          await Promise.all(batch);
          expect((await readNow()).slice(0, safe.length)).toEqual(safe);
        }
      }
      await Promise.all(told);
      vi.restoreAllMocks();
      await file.append({ last: true });
      expect(await readNow()).toEqual([...safe, { last: true }]);
      await file.close();
    }),
    { numRuns: 60 },
  );
});
