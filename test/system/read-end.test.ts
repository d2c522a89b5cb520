import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readEnd } from '../../src/system/read-end.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-read-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('gives the last bytes of a file, or all of a short one', () => {
  writeFileSync(join(folder, 'log'), '0123456789');
  expect(readEnd(join(folder, 'log'), 4)?.toString()).toBe('6789');
  expect(readEnd(join(folder, 'log'), 100)?.toString()).toBe('0123456789');
});

it('gives nothing, and does not wait, where there is no file', () => {
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  expect(readEnd(join(folder, 'fifo'), 4)).toBeUndefined();
  expect(readEnd(folder, 4)).toBeUndefined();
  expect(readEnd(join(folder, 'missing'), 4)).toBeUndefined();
});
