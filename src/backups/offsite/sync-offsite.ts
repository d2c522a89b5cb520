/** After a backup: what the store lacks is copied, also what earlier runs could not; what no rule keeps is removed. */
import { join } from 'node:path';
import type { BackupsPlan } from '../../config/plan.ts';
import { BACKUP_KINDS, type BackupKind, isProven } from '../../protocol/backups.ts';
import { TREE_FILE } from '../assets/tree.ts';
import { type Candidate, planRetention } from '../retention.ts';
import { isWhole, type ShelvedBackup, type WholeBackup } from '../shelf.ts';
import { type CopyOptions, copyOut } from './copy-out.ts';
import { type FarBackup, openTrees, readFarShelf, removeFar } from './far-shelf.ts';
import type { Store } from './store.ts';

export interface SyncOptions extends CopyOptions {
  readonly store: Store;
  readonly shelf: readonly ShelvedBackup[];
  readonly rules: BackupsPlan['keep'];
  readonly installId: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly kinds?: readonly BackupKind[];
}

export interface Synced {
  /** Ids, in the order they were copied. */
  readonly copied: readonly string[];
  readonly removed: readonly string[];
  readonly objects: number;
  readonly bytes: number;
}

/**
 * One decision over what is here and what is there: a copy that would be removed at once is not made, and what a lost
 * volume knew of stays. Only copies of this installation are removed. @throws Failure at the first thing the store
 * does not do; what was copied so far stays, and the next run goes on.
 */
export async function syncOffsite(options: SyncOptions): Promise<Synced> {
  const { store, shelf, installId } = options;
  const copied: string[] = [];
  const removed: string[] = [];
  const sum = { objects: 0, bytes: 0 };
  for (const kind of options.kinds ?? BACKUP_KINDS) {
    const far = (await readFarShelf(store, [kind])).filter(
      ({ manifest }) => manifest.installId === installId,
    );
    const here = shelf.filter((backup) => backup.kind === kind).filter(isWhole);
    const there = new Set(far.map(({ id }) => id));
    const known = new Set(here.map(({ id }) => id));
    const candidates = [
      ...here.map(nearCandidate),
      ...far.filter(({ id }) => !known.has(id)).map(farCandidate),
    ];
    const { verdicts } = planRetention(candidates, options.rules, options.now);
    const kept = new Set(verdicts.flatMap(({ id, keep }) => (keep ? [id] : [])));
    for (const backup of here) {
      if (!kept.has(backup.id) || (there.has(backup.id) && backup.offsite.includes(store.where))) continue;
      const { objects, bytes } = await copyOut(store, backup, options);
      sum.objects += objects;
      sum.bytes += bytes;
      copied.push(backup.id);
    }
    const gone = far.filter(({ id }) => !kept.has(id));
    if (gone.length === 0) continue;
    const trees = openTrees(store, (id) => {
      const near = here.find((backup) => backup.id === id);
      return near && join(near.folder, TREE_FILE);
    });
    try {
      await removeFar(store, gone, installId, trees.treeOf);
    } finally {
      trees.close();
    }
    removed.push(...gone.map(({ id }) => id));
  }
  return { copied, removed, ...sum };
}

function nearCandidate({ id, kind, startedAt, verified, pinned, manifest }: WholeBackup): Candidate {
  const { number, parent, label } = manifest;
  return {
    id,
    kind,
    startedAt,
    proven: isProven(verified),
    broken: verified?.ok === false,
    pinned,
    number,
    parent,
    label,
  };
}

function farCandidate({ id, kind, manifest, verified }: FarBackup): Candidate {
  const { startedAt, number, parent, label } = manifest;
  return {
    id,
    kind,
    startedAt,
    proven: isProven(verified),
    broken: verified?.ok === false,
    pinned: false,
    number,
    parent,
    label,
  };
}
