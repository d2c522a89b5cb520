import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ensureDir,
  freeBytes,
  giveFolder,
  giveSocket,
  isWritableDir,
  readLink,
  readTextIfExists,
  removeTree,
  replaceLink,
} from '../../src/system/files.ts';
import { writeFileAtomic } from '../../src/system/write-file-atomic.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a file is replaced whole, with exactly its mode, and nothing lies beside it', () => {
  const path = join(folder, 'file');
  writeFileAtomic(path, 'old', { mode: 0o600 });
  writeFileAtomic(path, 'new', { mode: 0o666 });
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(statSync(path).mode & 0o777).toBe(0o666);
  expect(readdirSync(folder)).toEqual(['file']);
});

test.runIf(isRoot)('a file gets its owner', () => {
  const path = join(folder, 'file');
  writeFileAtomic(path, '', { owner: { uid: 1, gid: 2 } });
  expect(statSync(path)).toMatchObject({ uid: 1, gid: 2 });
});

test('a write that fails leaves the old file and nothing else', () => {
  mkdirSync(join(folder, 'taken'));
  writeFileSync(join(folder, 'taken', 'inside'), '');
  expect(() => writeFileAtomic(join(folder, 'taken'), 'new')).toThrow();
  expect(readdirSync(folder)).toEqual(['taken']);
});

test('a link planted under the temporary name is not written through', () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'mine');
  symlinkSync(victim, join(folder, `file.${process.pid}.tmp`));
  writeFileAtomic(join(folder, 'file'), 'new');
  expect(readFileSync(victim, 'utf8')).toBe('mine');
});

test('reading says undefined for what is not there, and throws for the rest', () => {
  expect(readTextIfExists(join(folder, 'missing'))).toBeUndefined();
  writeFileSync(join(folder, 'file'), 'text');
  expect(readTextIfExists(join(folder, 'file'))).toBe('text');
  expect(readTextIfExists(join(folder, 'file', 'below'))).toBeUndefined();
  expect(() => readTextIfExists(folder)).toThrow(/EISDIR/);
});

test('a folder is made with all above it, or brought to its mode and owner', () => {
  const path = join(folder, 'a', 'b');
  ensureDir(path, 0o700);
  expect(statSync(path).mode & 0o7777).toBe(0o700);
  ensureDir(path, 0o1777);
  expect(statSync(path).mode & 0o7777).toBe(0o1777);
  if (isRoot) {
    ensureDir(path, 0o750, { uid: 1, gid: 1 });
    expect(statSync(path)).toMatchObject({ uid: 1, gid: 1 });
  }
  expect(isWritableDir(path)).toBe(true);
  expect(isWritableDir(join(folder, 'none'))).toBe(false);
});

test('a link in the place of a folder is refused', () => {
  symlinkSync('/tmp', join(folder, 'link'));
  expect(() => ensureDir(join(folder, 'link'), 0o700)).toThrow('symbolic link');
});

test('a link is replaced in one step', () => {
  const path = join(folder, 'current');
  expect(readLink(path)).toBeUndefined();
  replaceLink(path, 'one');
  replaceLink(path, 'two');
  expect(readLink(path)).toBe('two');
  expect(readdirSync(folder)).toEqual(['current']);
  expect(readLink(folder)).toBeUndefined();
});

test('a tree is removed, also where there is none', () => {
  ensureDir(join(folder, 'a', 'b'), 0o755);
  removeTree(join(folder, 'a'));
  removeTree(join(folder, 'a'));
  expect(existsSync(join(folder, 'a'))).toBe(false);
});

test('there is room on the disk', () => {
  expect(freeBytes(folder)).toBeGreaterThan(0);
});

test('a folder that nothing can be made in is refused, and does not keep us busy for ever', () => {
  expect(() => ensureDir('/proc/nowhere/below', 0o755)).toThrow(/ENOENT|EACCES/);
  writeFileSync(join(folder, 'file'), '');
  expect(() => ensureDir(join(folder, 'file', 'below', 'deep'), 0o755)).toThrow(/ENOTDIR/);
  ensureDir(join(folder, 'one', 'two', 'three'), 0o755);
  expect(statSync(join(folder, 'one', 'two', 'three')).isDirectory()).toBe(true);
});

test('a folder to write in is made with all above it, and left as it is when it is theirs', () => {
  const path = join(folder, 'a', 'b');
  giveFolder(path);
  expect(statSync(path).mode & 0o777).toBe(0o755);
  chmodSync(path, 0o700);
  giveFolder(path);
  giveFolder(path, { uid: statSync(path).uid, gid: statSync(path).gid });
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test.runIf(isRoot)('a folder to write in becomes theirs, what is above and in it does not', () => {
  const path = join(folder, 'a', 'b');
  mkdirSync(join(path, 'inside'), { recursive: true });
  giveFolder(path, { uid: 1002, gid: 1002 });
  expect(statSync(path)).toMatchObject({ uid: 1002, gid: 1002 });
  expect([join(folder, 'a'), join(path, 'inside')].map((one) => statSync(one).uid)).toEqual([0, 0]);
});

test.runIf(isRoot)('a link where a socket should be gives away nothing but itself', () => {
  const [file, link] = [join(folder, 'file'), join(folder, 'link')];
  writeFileSync(file, '');
  symlinkSync(file, link);
  giveSocket(link, { uid: 1002, gid: 1002 });
  expect(statSync(file).uid).toBe(0);
});
