/** Removes what retention does not keep; before anything, it can be shown what that would be. */
import { renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BackupsPlan } from '../config/plan.ts';
import { STAGE } from '../postgres/stages.ts';
import { BACKUP_KINDS, type BackupLabel, isProven, type PruneResult } from '../protocol/backups.ts';
import { syncFolder } from '../system/write-file-atomic.ts';
import { readLastRun } from './last-run.ts';
import { pruneWal } from './moments.ts';
import { planRetention } from './retention.ts';
import { readShelf, type ShelvedBackup, viewOf } from './shelf.ts';

export interface PruneOptions {
  readonly root: string;
  readonly keep: BackupsPlan['keep'];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly dryRun: boolean;
  /** Those of this label alone. */
  readonly only?: BackupLabel;
}

/** Under the lock. Each kind for itself; only folders named as ours, each by its whole name. */
export function pruneBackups({ root, keep, now, dryRun, only }: PruneOptions): PruneResult {
  const last = readLastRun(root);
  const failed = last?.ok === false ? `the last run failed: ${last.problem ?? 'unknown why'}` : undefined;
  const rows: PruneResult['backups'][number][] = [];
  const held: string[] = failed === undefined ? [] : [failed];
  for (const kind of BACKUP_KINDS) {
    const shelf = readShelf(root, [kind]);
    const plan = planRetention(shelf.map(toCandidate), keep, now);
    if (plan.held !== undefined && shelf.length > 0 && failed === undefined)
      held.push(`${kind}: ${plan.held}`);
    for (const [index, backup] of shelf.entries()) {
      const verdict = plan.verdicts[index];
      if (!verdict) continue;
      const stays = verdict.keep || failed !== undefined;
      const { id, size, startedAt } = viewOf(backup);
      const reasons = verdict.keep ? verdict.reasons : stays ? [failed ?? ''] : verdict.reasons;
      rows.push({ id, kind, startedAt, size, keep: stays, reasons });
      if (!stays && !dryRun && (only === undefined || backup.manifest?.label === only)) remove(backup.folder);
    }
  }
  const walSegments = dryRun || failed !== undefined || only !== undefined ? 0 : pruneWal(root);
  return { dryRun, held, backups: rows, ...(walSegments > 0 ? { walSegments } : {}) };
}

/** Gone by its name at once: half a backup is never seen, and a kill leaves a stage that the next run sweeps. */
function remove(folder: string): void {
  const shelf = dirname(folder);
  const stage = join(shelf, `${STAGE}drop-${folder.slice(shelf.length + 1)}`);
  renameSync(folder, stage);
  syncFolder(shelf);
  rmSync(stage, { recursive: true, force: true });
}

function toCandidate(backup: ShelvedBackup): Parameters<typeof planRetention>[0][number] {
  const { id, kind, startedAt, broken, pinned, verified, manifest } = backup;
  // One that was found bad never keeps its place from a good one.
  const isBroken = broken !== undefined || verified?.ok === false;
  return {
    id,
    kind,
    startedAt,
    broken: isBroken,
    pinned,
    proven: !isBroken && isProven(verified),
    number: manifest?.number,
    parent: manifest?.parent,
    label: manifest?.label,
  };
}
