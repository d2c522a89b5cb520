/** What a restore of configuration replaces is kept. */
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  lchownSync,
  mkdirSync,
  openSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../../base/errors.ts';
import { syncFolder } from '../../system/write-file-atomic.ts';
import type { HeldPlaces } from './held-places.ts';

/** Copies, under their whole paths, in a folder that nobody else may enter: there are secrets among them. */
export function keepOld(
  keepIn: string,
  id: string,
  paths: readonly string[],
  places: HeldPlaces,
): string | undefined {
  if (paths.length === 0) return undefined;
  const now = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  let folder = join(keepIn, `${now}-${id}`);
  for (let count = 2; existsSync(folder); count += 1) folder = join(keepIn, `${now}-${id}-${count}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const path of paths) {
    const copy = join(folder, path);
    mkdirSync(dirname(copy), { recursive: true, mode: 0o700 });
    const there = places.look(path);
    if (there?.isSymbolicLink()) {
      symlinkSync(readlinkSync(places.at(path)), copy);
      own(copy, there, lchownSync);
    } else {
      places.read(path, (fd, stats) => {
        copyFileSync(`/proc/self/fd/${fd}`, copy);
        own(copy, stats, chownSync);
        chmodSync(copy, stats.mode & 0o7777);
        sync(copy);
      });
    }
    syncFolder(dirname(copy));
  }
  syncFolder(folder);
  syncFolder(keepIn);
  return folder;
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Only who has the right may give files away; whoever else restores owns them. `change` follows links or not; the path
 * is one that nobody else can lead elsewhere.
 */
export function own(
  path: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
  change: typeof chownSync,
): void {
  try {
    change(path, uid, gid);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
}
