/** A backup of files: contents by their hash, each kept once, and a tree that says which file had which. */
import { lstatSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { Failure } from '../../base/errors.ts';
import { BlobStage, type TakenFile } from './blobs.ts';
import { requireNoSwap } from './swap-root.ts';
import {
  comparePaths,
  type FileEntry,
  openTree,
  openTreeWriter,
  TREE_FILE,
  type TreeEntry,
  type TreeReader,
  type TreeWriter,
} from './tree.ts';
import { type Found, walkFolder } from './walk.ts';

export interface AssetsOptions {
  /** Folders that are backed up; one that is not there counts as empty. */
  readonly roots: readonly string[];
  /** `<backups>/assets/blobs` */
  readonly blobs: string;
  /** The stage of this backup; the tree is written there, nothing else stays. */
  readonly stage: string;
  /** The tree of the backup before: what has its size, times and inode is not read again. Undefined: all is read. */
  readonly previous: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (files: number, bytes: number) => void;
}

export interface AssetsTaken {
  readonly files: number;
  /** Of all files, whether they were read or not. */
  readonly bytes: number;
  /** Files that were read. */
  readonly read: number;
  /** Contents that were not there before, and their bytes. */
  readonly added: number;
  readonly addedBytes: number;
  /** What a backup cannot hold: sockets, pipes, devices, names that are no text. */
  readonly skipped: readonly string[];
  /** Files that changed each time they were read. */
  readonly torn: readonly string[];
}

/** After so many entries, whoever asks us to stop is heard. */
const BREATH = 200;
/** Names of the skipped beyond these are only counted. */
const NAMED = 100;
/** A file changed so shortly before it was read, in ms, may have changed once more in the same tick of its clock. */
const SETTLED_MS = 1000;

/**
 * Takes the backup up to, and without, its manifest. Memory does not grow with the files: the walk and the tree before
 * are read side by side. @throws Failure where a file cannot be read, AbortError where asked to stop.
 */
export async function takeAssets(options: AssetsOptions): Promise<AssetsTaken> {
  const began = Date.now();
  const roots = nameRoots(options.roots);
  for (const folder of options.roots) requireNoSwap(folder);
  const known = await openPrevious(options.previous);
  const blobs = new BlobStage(options.blobs, join(options.stage, 'new'));
  const tree = openTreeWriter(join(options.stage, TREE_FILE), { schema: 1, began, roots });
  const take = new Take(options, blobs, tree, known);
  try {
    for (const name of Object.keys(roots).sort()) await take.root(name, roots[name] ?? '');
    const added = blobs.publish();
    await tree.finish({ files: take.files, bytes: take.bytes });
    return { ...take.result(), added };
  } catch (error) {
    tree.abandon();
    throw error;
  } finally {
    await known?.close();
  }
}

/** What a restore has put aside, or left, in a root that is a mount of its own. */
const KEPT = /^\.(before|stage-restore)-\d{8}T\d{6}Z-assets-/;

class Take {
  files = 0;
  bytes = 0;
  private read = 0;
  private addedBytes = 0;
  private steps = 0;
  private readonly skipped: string[] = [];
  private readonly torn: string[] = [];
  private readonly options: AssetsOptions;
  private readonly blobs: BlobStage;
  private readonly tree: TreeWriter;
  private readonly known: Previous | undefined;

  constructor(options: AssetsOptions, blobs: BlobStage, tree: TreeWriter, known: Previous | undefined) {
    this.options = options;
    this.blobs = blobs;
    this.tree = tree;
    this.known = known;
  }

  async root(name: string, folder: string): Promise<void> {
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      throw new Failure(`cannot back up ${folder}: it is no folder`, {
        remedy: 'name the folder itself in `backups.assets`, not a link to it or a file',
      });
    }
    await this.tree.write({ path: name, type: 'folder', ...common(stats) });
    for (const found of walkFolder(folder)) {
      if (KEPT.test(found.path)) continue;
      this.steps += 1;
      if (this.steps % BREATH === 0) {
        await breathe();
        this.options.signal.throwIfAborted();
        this.options.onProgress?.(this.files, this.bytes);
      }
      await this.entry(`${name}/${found.path}`, found);
    }
  }

  private async entry(path: string, found: Found): Promise<void> {
    if (found.kind === 'special') {
      if (this.skipped.length < NAMED) this.skipped.push(`${path} (${found.what})`);
      return;
    }
    if (found.kind === 'file') return this.file(path, found);
    const { kind: type, stats, target = '' } = found;
    await this.tree.write(
      type === 'folder' ? { path, type, ...common(stats) } : { path, type: 'link', ...common(stats), target },
    );
  }

  private async file(
    path: string,
    found: Found & { readonly kind: 'file' | 'folder' | 'link' },
  ): Promise<void> {
    const before = await this.known?.find(path);
    const entry =
      before !== undefined &&
      isUnchanged(before, found.stats, this.known?.began ?? 0) &&
      this.blobs.has(before.sha256)
        ? { ...before, ...common(found.stats) }
        : await this.take(path, found.door);
    if (entry === undefined) return;
    this.files += 1;
    this.bytes += entry.size;
    await this.tree.write(entry);
  }

  private async take(path: string, door: string): Promise<FileEntry | undefined> {
    const taken = await this.blobs.take(door, this.options.signal).catch((cause: unknown) => {
      if (this.options.signal.aborted) throw cause;
      throw new Failure(`cannot back up ${path}: ${cause instanceof Error ? cause.message : cause}`, {
        remedy:
          'see that it can be read and that the disk of the backups is not full; nothing was kept of this backup',
        cause,
      });
    });
    if (taken === undefined) return undefined;
    this.read += 1;
    this.addedBytes += taken.added;
    if (taken.torn) this.torn.push(path);
    return fileEntry(path, taken);
  }

  result(): Omit<AssetsTaken, 'added'> {
    const { files, bytes, read, addedBytes, skipped, torn } = this;
    return { files, bytes, read, addedBytes, skipped, torn };
  }
}

function fileEntry(path: string, { sha256, stats, torn }: TakenFile): FileEntry {
  const { size, ctimeMs: ctime, ino: inode } = stats;
  return { path, type: 'file', ...common(stats), size, sha256, ctime, inode, ...(torn ? { torn } : {}) };
}

function common({
  mode,
  uid,
  gid,
  mtimeMs: mtime,
}: Stats): Pick<TreeEntry, 'mode' | 'uid' | 'gid' | 'mtime'> {
  return { mode: mode & 0o7777, uid, gid, mtime };
}

function isUnchanged(entry: FileEntry, stats: Stats, began: number): boolean {
  return (
    entry.torn === undefined &&
    entry.size === stats.size &&
    entry.mtime === stats.mtimeMs &&
    entry.ctime === stats.ctimeMs &&
    entry.inode === stats.ino &&
    entry.ctime + SETTLED_MS < began
  );
}

/** By their last name, with a number where two are alike. */
export function nameRoots(folders: readonly string[]): Readonly<Record<string, string>> {
  const roots: Record<string, string> = {};
  for (const folder of folders) {
    const plain = basename(folder) || 'root';
    let name = plain;
    for (let count = 2; name in roots; count += 1) name = `${plain}-${count}`;
    roots[name] = folder;
  }
  return roots;
}

interface Previous {
  readonly began: number;
  /** The file of that path; to be asked in the order of the walk. */
  find(path: string): Promise<FileEntry | undefined>;
  close(): Promise<void>;
}

/** A tree that cannot be read only costs time: everything is read again, and its own verification tells of it. */
async function openPrevious(path: string | undefined): Promise<Previous | undefined> {
  const tree = path === undefined ? undefined : await openTree(path).catch(() => undefined);
  if (tree === undefined) return undefined;
  return followTree(tree);
}

function followTree(tree: TreeReader): Previous {
  const entries = tree[Symbol.asyncIterator]();
  let current: TreeEntry | undefined;
  let over = false;
  const advance = async (): Promise<void> => {
    try {
      const { done, value } = await entries.next();
      over = done === true;
      current = done ? undefined : value;
    } catch {
      over = true;
      current = undefined;
    }
  };
  return {
    began: tree.header.began,
    find: async (path) => {
      while (!over && (current === undefined || comparePaths(current.path, path) < 0)) await advance();
      return current?.type === 'file' && current.path === path ? current : undefined;
    },
    close: async () => {
      await entries.return?.();
    },
  };
}
