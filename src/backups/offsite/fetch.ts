/** Brings a copy back: into a stage, every byte checked against its manifest, then onto the shelf. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../base/errors.ts';
import { MANIFEST, OFFSITE, PINNED } from '../../protocol/backups.ts';
import { swapFolder } from '../../system/swap-folder.ts';
import { syncFolder, writeFileAtomic } from '../../system/write-file-atomic.ts';
import { BlobStage } from '../assets/blobs.ts';
import { isWholeBlob } from '../assets/read-assets.ts';
import { openTree, TREE_FILE } from '../assets/tree.ts';
import { replacedName, settleReplaced } from '../replaced.ts';
import { hashFile } from '../seal.ts';
import { readShelf, requireWhole, type ShelvedBackup, type WholeBackup } from '../shelf.ts';
import type { FarBackup } from './far-shelf.ts';
import { backupKey, blobKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import type { Store } from './store.ts';

export interface FetchOptions {
  /** `<data>/backups` */
  readonly root: string;
  readonly blobs: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

const LANES = 8;

/** To be called under the lock of the backups. One that is here and whole is not fetched again. */
export async function fetchBackup(store: Store, far: FarBackup, options: FetchOptions): Promise<WholeBackup> {
  const { root, signal, onProgress = () => undefined } = options;
  const shelf = join(root, far.kind);
  const folder = join(shelf, far.id);
  if (existsSync(shelf)) settleReplaced(shelf);
  const near = readShelf(root, [far.kind]).find(({ id }) => id === far.id);
  if (near !== undefined && far.kind !== 'assets' && (await isTheSame(near, far, signal)))
    return requireWhole(near);
  const stage = join(shelf, `.stage-${far.id}`);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true, mode: 0o750 });
  let bytes = 0;
  const count = (size: number): void => {
    bytes += size;
    onProgress(bytes);
  };
  try {
    for (const file of far.manifest.files) {
      const path = join(stage, file.path);
      mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
      await receive(store, backupKey(far, file.path), path, file, count);
    }
    for (const path of far.manifest.emptyFolders ?? [])
      mkdirSync(join(stage, path), { recursive: true, mode: 0o700 });
    if (far.kind === 'assets') await fetchBlobs(store, stage, options, count);
    signal.throwIfAborted();
    writeFileAtomic(join(stage, OFFSITE), `${JSON.stringify({ copies: [store.where] })}\n`, { mode: 0o640 });
    writeFileAtomic(join(stage, MANIFEST), `${JSON.stringify(far.manifest, null, 1)}\n`, { mode: 0o640 });
    if (near?.pinned) closeSync(openSync(join(stage, PINNED), 'a', 0o640));
    // What was there is damaged, or the same.
    const aside = join(shelf, replacedName(far.id));
    syncFolder(stage);
    swapFolder(folder, stage, aside);
    rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    throw error;
  }
  const fetched = readShelf(root, [far.kind]).find(({ id }) => id === far.id);
  if (!fetched) throw new Error(`${far.id} is not where it was put`);
  return requireWhole(fetched);
}

/** Read to its end: a size says nothing of a bit that flipped. */
async function isTheSame(near: ShelvedBackup, far: FarBackup, signal: AbortSignal): Promise<boolean> {
  if (near.broken !== undefined || near.manifest?.files.length !== far.manifest.files.length) return false;
  for (const { path, size, sha256 } of far.manifest.files) {
    if (!existsSync(join(near.folder, path))) return false;
    const found = await hashFile(join(near.folder, path), signal);
    if (found.size !== size || found.sha256 !== sha256) return false;
  }
  return true;
}

/** Contents that are here and whole stay; the others come, checked, into the stage, and get their names together. */
async function fetchBlobs(
  store: Store,
  stage: string,
  { blobs }: FetchOptions,
  count: (size: number) => void,
): Promise<void> {
  const gathered = new BlobStage(blobs, join(stage, 'new'));
  const seen = new Set<string>();
  async function* missing(): AsyncGenerator<{ readonly sha256: string; readonly size: number }> {
    for await (const entry of await openTree(join(stage, TREE_FILE))) {
      if (entry.type !== 'file' || seen.has(entry.sha256)) continue;
      seen.add(entry.sha256);
      if (!(await isWholeBlob(blobs, entry))) yield entry;
    }
  }
  await inLanes(missing(), LANES, async (entry) => {
    await receive(store, blobKey(entry.sha256), gathered.pathOf(entry.sha256), entry, count);
    gathered.adopt(entry.sha256);
  });
  gathered.publish();
}

async function receive(
  store: Store,
  key: string,
  path: string,
  expected: { readonly size: number; readonly sha256: string },
  count: (size: number) => void,
): Promise<void> {
  const hash = createHash('sha256');
  const fd = openSync(path, 'wx', 0o640);
  let size = 0;
  try {
    for await (const chunk of await store.get(key)) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      size += chunk.length;
      count(chunk.length);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (size === expected.size && hash.digest('hex') === expected.sha256) return;
  throw new Failure(
    size === expected.size
      ? `cannot use ${key} of ${store.where}: its content is not what the manifest says`
      : `cannot use ${key} of ${store.where}: it has ${size} bytes instead of ${expected.size}`,
    {
      code: 'damaged',
      remedy: 'fetch another backup: bulkhead backup list --offsite; nothing was changed here',
    },
  );
}
