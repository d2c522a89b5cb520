/** What becomes of a volume whose files belong to another uid than the one of this image. */
import {
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { layOutVolume, takeOver } from '../../src/database/volume.ts';
import { layoutOf } from '../../src/postgres/layout.ts';
import { findIdentity } from '../../src/system/users.ts';

vi.mock(import('node:fs'), async (original) => {
  const fs = await original();
  return { ...fs, lchownSync: vi.fn(fs.lchownSync) };
});

const isRoot = process.geteuid?.() === 0;
const FORMER = 54321;
const user = findIdentity('54322:54322');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bulkhead-owner-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const uidOf = (path: string): number => lstatSync(path).uid;

/** A folder of the former uid, with a folder, a file in it, and a link that leads out of it. */
function makeTree(folder: string): { readonly inside: string[]; readonly outside: string } {
  const outside = join(root, 'outside');
  mkdirSync(outside, { recursive: true });
  writeFileSync(join(outside, 'theirs'), '');
  const inside = ['sub', 'sub/file', 'link'].map((name) => join(folder, name));
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'sub', 'file'), '');
  symlinkSync(outside, join(folder, 'link'));
  for (const path of [folder, ...inside]) lchownSync(path, FORMER, FORMER);
  return { inside, outside };
}

test.runIf(isRoot)('a taking over that was cut short is done again, and nothing behind a link', () => {
  const cluster = join(root, 'main');
  const { inside, outside } = makeTree(cluster);
  vi.mocked(lchownSync).mockImplementationOnce((path, uid, gid) => {
    if (!lstatSync(path).isSymbolicLink()) chownSync(path, uid, gid);
    throw new Error('cut short');
  });
  expect(() => takeOver(cluster, user)).toThrow('cut short');
  expect(takeOver(cluster, user)).toBe(true);
  expect([cluster, ...inside].map(uidOf)).toEqual([cluster, ...inside].map(() => user.uid));
  expect([uidOf(outside), uidOf(join(outside, 'theirs'))]).toEqual([0, 0]);
  expect(takeOver(cluster, user)).toBe(false);
});

test.runIf(isRoot)(
  'the archive and the backups change their owner with all that is in them, but for what is of root',
  () => {
    const layout = layoutOf(join(root, 'data'), join(root, 'run'));
    const trees = ['wal', 'backups'].map((name) => makeTree(join(layout.dataDir, name)));
    const ofRoot = join(layout.dataDir, 'backups', 'of-root');
    writeFileSync(ofRoot, '');
    layOutVolume(layout, user);
    for (const { inside, outside } of trees) {
      expect(inside.map(uidOf)).toEqual(inside.map(() => user.uid));
      expect([uidOf(outside), uidOf(join(outside, 'theirs'))]).toEqual([0, 0]);
    }
    for (const name of ['pg', 'wal', 'backups']) expect(uidOf(join(layout.dataDir, name))).toBe(user.uid);
    expect(uidOf(ofRoot)).toBe(0);
  },
);
