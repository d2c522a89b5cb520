/** Makes the files of an assets backup again. */
import { createHash, hash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { createEntryPaths } from '../../archives/entry-path.ts';
import { codeOf, Failure } from '../../base/errors.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { stageFor } from '../../system/swap-folder.ts';
import { syncTree } from '../../system/sync-tree.ts';
import { syncFolder } from '../../system/write-file-atomic.ts';
import { blobPath } from './blobs.ts';
import { finishSwap, freeName, isSwapOpen, swapRoot } from './swap-root.ts';
import { type FileEntry, openTree, type TreeEntry } from './tree.ts';

export interface RestoreAssetsOptions {
  /** The backup's id: part of the names of stages and of what is put aside. */
  readonly id: string;
  readonly tree: string;
  readonly blobs: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (files: number, bytes: number) => void;
}

export interface AssetsRestored {
  readonly files: number;
  readonly bytes: number;
  /** Folders that were made, and where what they held is now; undefined: none was there. */
  readonly replaced: readonly { readonly folder: string; readonly kept: string | undefined }[];
}

const PIECE = 1024 * 1024;
const NEW = 'wx';

/**
 * Everything into one new folder, one folder in it for each root. The folder must not be there, and appears only when it is
 * whole and on the disk. @throws Failure where a content is missing or damaged: then nothing is left behind.
 */
export async function restoreAssetsInto(
  target: string,
  options: RestoreAssetsOptions,
): Promise<AssetsRestored> {
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new Failure(`cannot restore into ${target}: there is something in it`, {
      remedy: 'name a folder that is not there yet',
      exitCode: CommandExit.refused,
    });
  }
  const stage = join(dirname(target), `.stage-restore-${options.id}`);
  rmSync(stage, { recursive: true, force: true });
  const place = (path: string): string => join(stage, path);
  mkdirSync(stage, { mode: 0o755 });
  try {
    const totals = await fill(options, place);
    syncTree(stage);
    if (existsSync(target)) rmdirSync(target);
    renameSync(stage, target);
    syncFolder(dirname(target));
    return { files: totals.files, bytes: totals.bytes, replaced: [] };
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Each root to where it was, or to where `roots` sends it. All of them are whole before the first changes places; what
 * was there is kept beside as `.before-<id>-<name>`, with a number where that is taken: it is never replaced.
 */
export async function restoreAssetsInPlace(
  options: RestoreAssetsOptions & { readonly roots?: Readonly<Record<string, string>> },
): Promise<AssetsRestored> {
  const { header } = await openTree(options.tree);
  const roots = { ...header.roots, ...options.roots };
  // First of all: a stage of that name may hold what is nowhere else.
  for (const folder of Object.values(roots)) finishSwap(folder);
  const stages = Object.fromEntries(
    Object.entries(roots).map(([name, folder]) => [
      name,
      stageFor(folder, `.stage-restore-${options.id}-${name}`),
    ]),
  );
  const clear = (): void => {
    for (const [name, stage] of Object.entries(stages)) {
      if (!isSwapOpen(roots[name] ?? '')) rmSync(stage, { recursive: true, force: true });
    }
  };
  clear();
  for (const folder of Object.values(roots)) mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
  try {
    const totals = await fill(options, (path) => {
      const cut = path.indexOf('/');
      const name = cut < 0 ? path : path.slice(0, cut);
      const stage = stages[name];
      if (stage === undefined) throw new Failure(`cannot restore ${path}: its tree knows no folder ${name}`);
      return cut < 0 ? stage : join(stage, path.slice(cut + 1));
    });
    const made = Object.keys(stages).filter((name) => totals.roots.has(name));
    for (const name of made) syncTree(stages[name] ?? '');
    const replaced = made.map((name) => {
      const folder = roots[name] ?? '';
      const kept = freeName(stageFor(folder, `.before-${options.id}-${name}`));
      const there = existsSync(folder);
      swapRoot(folder, stages[name] ?? '', kept);
      return { folder, kept: there ? kept : undefined };
    });
    return { files: totals.files, bytes: totals.bytes, replaced };
  } finally {
    clear();
  }
}

interface Filled {
  readonly files: number;
  readonly bytes: number;
  readonly roots: ReadonlySet<string>;
}

async function fill(
  { tree, blobs, signal, onProgress }: RestoreAssetsOptions,
  place: (path: string) => string,
): Promise<Filled> {
  const names = createEntryPaths(tree);
  const folders: (TreeEntry & { readonly at: string })[] = [];
  const roots = new Set<string>();
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
    const at = place(entry.path);
    if (entry.type === 'folder') {
      mkdirSync(at, { mode: 0o700 });
      folders.push({ ...entry, at });
      if (!entry.path.includes('/')) roots.add(entry.path);
    } else if (entry.type === 'link') {
      symlinkSync(entry.target, at);
      own(at, entry);
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
  for (const folder of folders.reverse()) {
    own(folder.at, folder);
    chmodSync(folder.at, folder.mode);
    utimesSync(folder.at, folder.mtime / 1000, folder.mtime / 1000);
  }
  return { files, bytes, roots };
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
  own(path, entry);
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
function own(path: string, { uid, gid }: TreeEntry): void {
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
}
