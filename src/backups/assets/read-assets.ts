/** Whether every content of an assets backup is there and is what it was; and which contents are needed at all. */
import { createHash, hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { blobPath, DAMAGED, listBlobs } from './blobs.ts';
import { type FileEntry, openTree, type TreeTotals } from './tree.ts';

export interface AssetsCheck extends TreeTotals {
  /** What is wrong, at most a few sentences; empty: every content is whole. */
  readonly problems: readonly string[];
}

const PIECE = 1024 * 1024;
const TOLD = 10;

/** Reads every content once, however many files have it. A damaged tree is one of the problems, never thrown. */
export async function verifyAssets(
  tree: string,
  blobs: string,
  {
    signal,
    onProgress,
    setAside = false,
  }: {
    readonly signal: AbortSignal;
    readonly onProgress?: (files: number, bytes: number) => void;
    /** A damaged content loses its name, so that the next backup takes it anew; under the lock of the backups. */
    readonly setAside?: boolean;
  },
): Promise<AssetsCheck> {
  const problems: string[] = [];
  const seen = new Set<string>();
  let files = 0;
  let bytes = 0;
  let bad = 0;
  try {
    const reader = await openTree(tree);
    for await (const entry of reader) {
      if (entry.type !== 'file') continue;
      files += 1;
      bytes += entry.size;
      if (files % 100 === 0) {
        signal.throwIfAborted();
        onProgress?.(files, bytes);
      }
      if (seen.has(entry.sha256)) continue;
      seen.add(entry.sha256);
      const problem = await checkBlob(blobs, entry, signal);
      if (problem === undefined) continue;
      bad += 1;
      if (setAside) loseName(blobPath(blobs, entry.sha256));
      if (problems.length < TOLD) problems.push(problem);
    }
    const totals = reader.totals();
    if (totals.files !== files) problems.push(`its tree has ${files} files instead of ${totals.files}`);
  } catch (error) {
    signal.throwIfAborted();
    problems.push(error instanceof Error ? error.message : String(error));
  }
  if (bad > TOLD) problems.push(`and ${bad - TOLD} more contents are missing or damaged`);
  return { files, bytes, problems };
}

/** Reads it whole. */
export async function isWholeBlob(
  blobs: string,
  entry: Pick<FileEntry, 'sha256' | 'size'>,
): Promise<boolean> {
  return (await checkBlob(blobs, { path: '', ...entry }, new AbortController().signal)) === undefined;
}

/** What a name stands for is whole, or nobody would ever take the content again. */
function loseName(path: string): void {
  try {
    renameSync(path, `${path}${DAMAGED}`);
  } catch {
    // It is missing already, or the medium is only to be read.
  }
}

async function checkBlob(
  blobs: string,
  entry: Pick<FileEntry, 'path' | 'sha256' | 'size'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = blobPath(blobs, entry.sha256);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return `the content of ${entry.path} is missing`;
  if (stats.size !== entry.size) {
    return `the content of ${entry.path} has ${stats.size} bytes instead of ${entry.size}`;
  }
  const found =
    stats.size < PIECE ? hash('sha256', readFileSync(path), 'hex') : await hashLarge(path, signal);
  return found === entry.sha256 ? undefined : `the content of ${entry.path} is damaged`;
}

async function hashLarge(path: string, signal: AbortSignal): Promise<string> {
  const fd = openSync(path, 'r');
  try {
    const digest = createHash('sha256');
    const piece = Buffer.allocUnsafe(PIECE);
    for (let got = readSync(fd, piece); got > 0; got = readSync(fd, piece)) {
      digest.update(piece.subarray(0, got));
      await breathe();
      signal.throwIfAborted();
    }
    return digest.digest('hex');
  } finally {
    closeSync(fd);
  }
}

/**
 * Removes contents that no tree of these refers to; to be called behind pruning, under the lock of the backups, with
 * the tree of every backup that is kept. A tree that cannot be read keeps everything. Returns how many were removed.
 */
export async function sweepBlobs(trees: readonly string[], blobs: string): Promise<number> {
  if (!existsSync(blobs)) return 0;
  const needed = new Set<string>();
  for (const tree of trees) {
    for await (const entry of await openTree(tree)) if (entry.type === 'file') needed.add(entry.sha256);
  }
  for (const name of listBlobs(blobs, true)) rmSync(blobPath(blobs, name));
  let removed = 0;
  for (const sha256 of listBlobs(blobs)) {
    if (needed.has(sha256)) continue;
    rmSync(blobPath(blobs, sha256));
    removed += 1;
  }
  return removed;
}
