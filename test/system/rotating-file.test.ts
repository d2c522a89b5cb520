import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRotatedEnd } from '../../src/system/read-end.ts';
import { RotatingFile } from '../../src/system/rotating-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-rotating-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (): string => join(folder, 'events');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

test('every line is in exactly one file, in order, and the oldest files go', async () => {
  const file = new RotatingFile(path(), 100, 2);
  for (let count = 0; count < 60; count += 1)
    file.append(Buffer.from(`line ${String(count).padStart(3, '0')}\n`));
  await file.release();
  expect(readdirSync(folder).sort()).toEqual(['events', 'events.1', 'events.2']);
  const lines = `${read('events.2')}${read('events.1')}${read('events')}`.trim().split('\n');
  const last = Array.from(
    { length: lines.length },
    (_, at) => `line ${String(60 - lines.length + at).padStart(3, '0')}`,
  );
  expect(lines).toEqual(last);
  expect(lines.length).toBeGreaterThan(20);
  for (const name of ['events', 'events.1', 'events.2']) expect(read(name).length).toBeLessThanOrEqual(100);
});

test('what an earlier process wrote counts, and one line that is too long has a file of its own', async () => {
  writeFileSync(path(), 'x'.repeat(95));
  const file = new RotatingFile(path(), 100, 2);
  file.append(Buffer.from('y'.repeat(500)));
  file.append(Buffer.from('z'));
  await file.release();
  expect([read('events.2').length, read('events.1').length, read('events')]).toEqual([95, 500, 'z']);
});

test('where nothing can be moved it goes on growing and loses nothing', async () => {
  mkdirSync(join(folder, 'events.1', 'full'), { recursive: true });
  mkdirSync(join(folder, 'events.2', 'full'), { recursive: true });
  const file = new RotatingFile(path(), 4, 2);
  for (const text of ['a', 'bcd', 'ef', 'gh', 'i']) file.append(Buffer.from(text));
  await file.release();
  expect(read('events')).toBe('abcdefghi');
});

test('the end of a file goes on in the one rotated before it', () => {
  expect(readRotatedEnd(path(), 10)).toBeUndefined();
  writeFileSync(`${path()}.1`, '0123');
  expect(readRotatedEnd(path(), 10)?.toString()).toBe('0123');
  writeFileSync(path(), '456');
  expect(readRotatedEnd(path(), 10)?.toString()).toBe('0123456');
  expect(readRotatedEnd(path(), 5)?.toString()).toBe('23456');
  expect(readRotatedEnd(path(), 2)?.toString()).toBe('56');
});

test('where its folder may not even be looked at, what is appended is lost, and nothing is thrown', async () => {
  symlinkSync('loop', join(folder, 'loop'));
  const file = new RotatingFile(join(folder, 'loop', 'log'), 100, 2);
  file.append(Buffer.from('x\n'));
  await file.release();
});
