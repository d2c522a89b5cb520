import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRedoRange } from '../../src/wal/log-end.ts';

const SEGMENT = 1024 ** 2;
const PAGE = 8192;

/** A file whose first pages, so many, bear their own addresses, and whose rest those of a file that was used before. */
function segment(number: number, pages: number): Buffer {
  const bytes = Buffer.alloc(SEGMENT);
  for (let page = 0; page < SEGMENT / PAGE; page += 1) {
    const home = page < pages ? number : number - 7;
    bytes.writeBigUInt64LE(BigInt(home * SEGMENT + page * PAGE), page * PAGE + 8);
  }
  bytes.writeUInt32LE(SEGMENT, 32);
  bytes.writeUInt32LE(PAGE, 36);
  return bytes;
}

test('the log ends with the last page that bears its own address, and not with the last file', () => {
  const cluster = mkdtempSync(join(tmpdir(), 'bulkhead-log-end-'));
  try {
    mkdirSync(join(cluster, 'pg_wal'));
    const put = (number: number, pages: number): void => {
      const name = `00000001${'0'.repeat(8)}${number.toString(16).toUpperCase().padStart(8, '0')}`;
      writeFileSync(join(cluster, 'pg_wal', name), segment(number, pages));
    };
    const redo = BigInt(10 * SEGMENT + 5 * PAGE);
    const range = () => findRedoRange(cluster, { redo, timeline: 1 });
    expect(range()).toBeUndefined();
    put(10, SEGMENT / PAGE);
    put(11, SEGMENT / PAGE);
    put(12, 3);
    // Made ready for later, with what it held before.
    put(13, 0);
    expect(range()).toEqual({ from: Number(redo), to: 12 * SEGMENT + 3 * PAGE });
    put(12, 0);
    expect(range()).toEqual({ from: Number(redo), to: 12 * SEGMENT });
    expect(findRedoRange(cluster, { redo, timeline: 2 })).toBeUndefined();
  } finally {
    rmSync(cluster, { recursive: true, force: true });
  }
});
