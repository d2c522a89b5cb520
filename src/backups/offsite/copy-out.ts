/** Copies of backups to a store: content first, then the manifest, so that what has a manifest there is whole. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../base/errors.ts';
import { MANIFEST, OFFSITE, VERIFIED } from '../../protocol/backups.ts';
import { readTextIfExists } from '../../system/files.ts';
import { writeFileAtomic } from '../../system/write-file-atomic.ts';
import { blobPath } from '../assets/blobs.ts';
import { openTree, TREE_FILE } from '../assets/tree.ts';
import type { WholeBackup } from '../shelf.ts';
import { BLOBS, backupKey, blobKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import type { Store } from './store.ts';

export interface CopyOptions {
  /** Blobs of assets on this volume. */
  readonly blobs: string;
  readonly onProgress?: (objects: number, bytes: number) => void;
}

export interface Copied {
  /** Objects that were not there before, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
}

/** Small contents under way at a time. */
const LANES = 8;

/**
 * Copies what is missing there of this backup; begun before, it goes on where that ended. The folder's `offsite.json`
 * says afterwards that a copy is there. @throws Failure where the store cannot be reached or does not keep what it got.
 */
export async function copyOut(store: Store, backup: WholeBackup, options: CopyOptions): Promise<Copied> {
  let objects = 0;
  let bytes = 0;
  const count = (size: number): void => {
    objects += 1;
    bytes += size;
    options.onProgress?.(objects, bytes);
  };
  if (backup.kind === 'assets') await copyBlobs(store, backup, options.blobs, count);
  for (const file of backup.manifest.files) {
    const key = backupKey(backup, file.path);
    if (isSame(await store.head(key), file)) continue;
    await store.putFile(key, join(backup.folder, file.path), file);
    const there = await store.head(key);
    if (!isSame(there, file)) throw notKept(store, key, file.size, there?.size);
    count(file.size);
  }
  const verified = readTextIfExists(join(backup.folder, VERIFIED));
  if (verified !== undefined) await store.putText(backupKey(backup, VERIFIED), verified);
  const manifest = readFileSync(join(backup.folder, MANIFEST), 'utf8');
  await store.putText(backupKey(backup, MANIFEST), manifest);
  count(manifest.length);
  noteCopy(backup, store.where);
  return { objects, bytes };
}

/** A store that keeps no metadata of ours shows the size alone. */
function isSame(
  there: { readonly size: number; readonly sha256: string | undefined } | undefined,
  file: { readonly size: number; readonly sha256: string },
): boolean {
  return there?.size === file.size && (there.sha256 ?? file.sha256) === file.sha256;
}

/** One listing before and, where something was missing, one behind it: a question for each would take many times as long. */
async function copyBlobs(
  store: Store,
  backup: WholeBackup,
  blobs: string,
  count: (size: number) => void,
): Promise<void> {
  const missing = await missingBlobs(store, backup);
  if (missing.size === 0) return;
  await inLanes(missing, LANES, async ([sha256, size]) => {
    await store.putFile(blobKey(sha256), blobPath(blobs, sha256), { size, sha256 });
    count(size);
  });
  const [lost] = await missingBlobs(store, backup);
  if (lost !== undefined) throw notKept(store, blobKey(lost[0]), lost[1], undefined);
}

/** By hash, with their sizes. */
async function missingBlobs(store: Store, backup: WholeBackup): Promise<Map<string, number>> {
  const needed = new Map<string, number>();
  for await (const entry of await openTree(join(backup.folder, TREE_FILE))) {
    if (entry.type === 'file') needed.set(entry.sha256, entry.size);
  }
  for await (const { key, size } of store.list(BLOBS)) {
    const sha256 = key.split('/').at(-1) ?? '';
    if (needed.get(sha256) === size) needed.delete(sha256);
  }
  return needed;
}

function notKept(store: Store, key: string, size: number, found: number | undefined): Failure {
  return new Failure(
    `cannot rely on the copy of ${key} in ${store.where}: it has ${found ?? 'no'} bytes there instead of ${size}`,
    {
      code: 'offsite',
      remedy: 'the next backup copies it again; where that fails too, ask whoever runs the store',
    },
  );
}

function noteCopy({ folder, offsite }: WholeBackup, where: string): void {
  const copies = [...new Set([...offsite, where])];
  writeFileAtomic(join(folder, OFFSITE), `${JSON.stringify({ copies })}\n`, { mode: 0o640 });
}
