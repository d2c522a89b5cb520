/** The backups of which a store has copies: what has no manifest of ours is not looked at, and never removed. */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  BACKUP_KINDS,
  type BackupKind,
  type BackupManifest,
  MANIFEST,
  VERIFIED,
  type Verification,
} from '../../protocol/backups.ts';
import { openTree, TREE_FILE } from '../assets/tree.ts';
import { parseBackupId } from '../backup-id.ts';
import { parseManifest } from '../manifest.ts';
import { backupKey, blobKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import type { Store } from './store.ts';

export interface FarBackup {
  readonly id: string;
  readonly kind: BackupKind;
  readonly manifest: BackupManifest;
  readonly verified: Verification | undefined;
}

/** In the place of the manifest while the rest is removed: an interrupted removal is found by it and ended. */
const REMOVED = 'removed.json';
const LANES = 8;

/** Every backup that is whole there, of whichever installation; newest first. */
export async function readFarShelf(
  store: Store,
  kinds: readonly BackupKind[] = BACKUP_KINDS,
): Promise<FarBackup[]> {
  const found: FarBackup[] = [];
  for (const kind of kinds) {
    const ids = (await store.listFolders(kind)).filter((name) => parseBackupId(name)?.kind === kind);
    const read = await inLanes(ids, LANES, (id) => readFar(store, kind, id, MANIFEST));
    found.push(...read.filter((each) => each !== undefined));
  }
  return found.sort((a, b) => (a.manifest.startedAt < b.manifest.startedAt ? 1 : -1));
}

async function readFar(
  store: Store,
  kind: BackupKind,
  id: string,
  name: string,
): Promise<FarBackup | undefined> {
  const text = await store.getText(backupKey({ kind, id }, name));
  if (text === undefined) return undefined;
  try {
    const manifest = parseManifest(text, id);
    const verified = await store.getText(backupKey({ kind, id }, VERIFIED));
    return { id, kind, manifest, verified: verified === undefined ? undefined : JSON.parse(verified) };
  } catch {
    // Somebody else's, or a newer Bulkhead's: no business of ours.
    return undefined;
  }
}

/**
 * Removes copies of ours: the manifest first, so that none is there that is not whole; then what it names; and contents
 * of assets that no backup that stays refers to. Ends removals that were interrupted before.
 */
export async function removeFar(
  store: Store,
  gone: readonly FarBackup[],
  installId: string | undefined,
  treeOf: TreeSource,
): Promise<void> {
  for (const backup of gone) {
    await store.putText(backupKey(backup, REMOVED), JSON.stringify(backup.manifest));
    await store.remove([backupKey(backup, MANIFEST)]);
  }
  for (const kind of new Set(gone.map((backup) => backup.kind))) {
    const stays = await readFarShelf(store, [kind]);
    for (const id of await store.listFolders(kind)) {
      if (parseBackupId(id)?.kind !== kind) continue;
      const left = await readFar(store, kind, id, REMOVED);
      if (left === undefined || left.manifest.installId !== installId) continue;
      if (kind === 'assets') await removeBlobs(store, left, stays, treeOf);
      await store.remove(left.manifest.files.map(({ path }) => backupKey(left, path)));
      await store.remove([backupKey(left, VERIFIED)]);
      await store.remove([backupKey(left, REMOVED)]);
    }
  }
}

/** Gives the path of a backup's tree, here or fetched. */
export type TreeSource = (backup: FarBackup) => Promise<string>;

async function removeBlobs(
  store: Store,
  gone: FarBackup,
  stays: readonly FarBackup[],
  treeOf: TreeSource,
): Promise<void> {
  const tree = gone.manifest.files.find(({ path }) => path === TREE_FILE);
  if (tree === undefined || (await store.head(backupKey(gone, TREE_FILE))) === undefined) return;
  const needless = await hashesOf(await treeOf(gone));
  for (const backup of stays)
    for (const sha256 of await hashesOf(await treeOf(backup))) needless.delete(sha256);
  await inLanes(needless, LANES, (sha256) => store.remove([blobKey(sha256)]));
}

async function hashesOf(tree: string): Promise<Set<string>> {
  const hashes = new Set<string>();
  for await (const entry of await openTree(tree)) if (entry.type === 'file') hashes.add(entry.sha256);
  return hashes;
}

/** Trees that lie here are read here, the others are fetched into a folder of their own. */
export function openTrees(
  store: Store,
  here: (id: string) => string | undefined,
): { readonly treeOf: TreeSource; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-trees-'));
  const fetched = new Map<string, string>();
  return {
    treeOf: async (backup) => {
      const known = here(backup.id) ?? fetched.get(backup.id);
      if (known !== undefined) return known;
      const path = join(folder, backup.id);
      await pipeline(await store.get(backupKey(backup, TREE_FILE)), createWriteStream(path));
      fetched.set(backup.id, path);
      return path;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
