/** Makes the folders, files and links of a tree again, in folders that nobody else may enter until they are whole. */
import { createHash, hash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { createEntryPaths } from '../../archives/entry-path.ts';
import { codeOf, Failure } from '../../base/errors.ts';
import { blobPath } from './blobs.ts';
import { type FileEntry, openTree, type TreeEntry } from './tree.ts';

export interface MakeTreeOptions {
  /** The backup's id: part of the names of stages and of what is put aside. */
  readonly id: string;
  readonly tree: string;
  readonly blobs: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (files: number, bytes: number) => void;
}

const PIECE = 1024 * 1024;
const NEW = 'wx';

export interface MadeTree {
  readonly files: number;
  readonly bytes: number;
  /** Nobody but us may enter one until it is given away. */
  readonly roots: ReadonlyMap<string, Made>;
}

/** A folder that is there, and what it shall become. */
type Made = TreeEntry & { readonly at: string };

/** `makeRoot` makes the folder of a root, which nobody else may enter, and returns a path that nobody can lead elsewhere. */
export async function makeTree(
  { tree, blobs, signal, onProgress }: MakeTreeOptions,
  makeRoot: (name: string) => string,
): Promise<MadeTree> {
  const names = createEntryPaths(tree);
  const folders: Made[] = [];
  const roots = new Map<string, Made>();
  let files = 0;
  let bytes = 0;
  let steps = 0;
  const reader = await openTree(tree);
  for await (const entry of reader) {
    names.check(entry.path, KINDS[entry.type]);
    if (++steps % 100 === 0) {
      await breathe();
      signal.throwIfAborted();
      onProgress?.(files, bytes);
    }
    const cut = entry.path.indexOf('/');
    if (cut < 0) {
      if (entry.type !== 'folder') throw new Failure(`cannot restore ${entry.path}: it lies in no folder`);
      roots.set(entry.path, { ...entry, at: makeRoot(entry.path) });
      continue;
    }
    const root = roots.get(entry.path.slice(0, cut));
    if (root === undefined) throw new Failure(`cannot restore ${entry.path}: its folder is not in its tree`);
    const at = join(root.at, entry.path.slice(cut + 1));
    if (entry.type === 'folder') {
      mkdirSync(at, { mode: 0o700 });
      folders.push({ ...entry, at });
    } else if (entry.type === 'link') {
      symlinkSync(entry.target, at);
      own(at, entry, lchownSync);
      lutimesSync(at, entry.mtime / 1000, entry.mtime / 1000);
    } else {
      await writeFile(at, entry, blobPath(blobs, entry.sha256), signal);
      files += 1;
      bytes += entry.size;
    }
  }
  const totals = reader.totals();
  if (totals.files !== files)
    throw new Failure(`cannot restore ${tree}: it has ${files} files instead of ${totals.files}`);
  // The innermost first: what is made in a folder changes its time, and its mode may forbid it.
  for (const folder of folders.reverse()) giveAway(folder);
  return { files, bytes, roots };
}

/** Only then may others enter it. */
export function giveAway(made: Made): void {
  if (made.type !== 'folder') return;
  own(made.at, made, chownSync);
  chmodSync(made.at, made.mode);
  utimesSync(made.at, made.mtime / 1000, made.mtime / 1000);
}

const KINDS = { file: 'file', folder: 'directory', link: 'symlink' } as const;

async function writeFile(path: string, entry: FileEntry, blob: string, signal: AbortSignal): Promise<void> {
  try {
    const found = entry.size < PIECE ? copySmall(blob, path) : await copyLarge(blob, path, signal);
    if (found !== entry.sha256) throw missing(entry, 'damaged');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw missing(entry, 'missing');
    throw error;
  }
  own(path, entry, chownSync);
  chmodSync(path, entry.mode);
  utimesSync(path, entry.mtime / 1000, entry.mtime / 1000);
}

function missing(entry: FileEntry, how: 'damaged' | 'missing'): Failure {
  return new Failure(`cannot restore ${entry.path}: its content in the backup is ${how}`, {
    remedy: 'restore another backup, or fetch this one anew from where copies are; nothing was changed',
    code: 'damaged',
  });
}

function copySmall(from: string, to: string): string {
  const content = readFileSync(from);
  writeFileSync(to, content, { flag: NEW, mode: 0o600 });
  return hash('sha256', content, 'hex');
}

async function copyLarge(from: string, to: string, signal: AbortSignal): Promise<string> {
  const source = openSync(from, 'r');
  const target = openSync(to, NEW, 0o600);
  try {
    const digest = createHash('sha256');
    const piece = Buffer.allocUnsafe(PIECE);
    for (let got = readSync(source, piece); got > 0; got = readSync(source, piece)) {
      digest.update(piece.subarray(0, got));
      for (let at = 0; at < got; ) at += writeSync(target, piece, at, got - at);
      await breathe();
      signal.throwIfAborted();
    }
    return digest.digest('hex');
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

/** Only root may give files away; whoever else restores owns them. */
function own(path: string, { uid, gid }: TreeEntry, change: typeof chownSync): void {
  try {
    change(path, uid, gid);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
}
