/**
 * The program `restore-files`: assets, or configuration, of a backup into their places. What was there is kept. It may
 * write files of every user, and so does nothing else.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { restoreAssetsInPlace } from '../backups/assets/restore-assets.ts';
import { nameRoots } from '../backups/assets/take-assets.ts';
import { openTree, TREE_FILE, type TreeTotals } from '../backups/assets/tree.ts';
import { lockBackups } from '../backups/backups-room.ts';
import { restoreConfig } from '../backups/config/restore-config.ts';
import { blobsOf } from '../backups/make-files.ts';
import { findBackup, readBackupAt, readShelf, requireWhole, type WholeBackup } from '../backups/shelf.ts';
import { checkFiles } from '../backups/verify-backup.ts';
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { layoutOf } from '../postgres/layout.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { RestoreFilesPlan } from '../protocol/operations.ts';
import { freeBytes } from '../system/files.ts';
import { layOut } from './prepare-volume.ts';

/**
 * Input: `backup` (id, a beginning of it, `latest`, absolute path of its folder), `kind` (assets, config), `replace`,
 * `dryRun`, `alone`; `identity`, the text of the key of an encrypted one.
 */
export async function runRestoreFiles(job: Job): Promise<void> {
  const { backup: wanted = '', kind, alone, dryRun } = job.assignment.input;
  const root = join(job.assignment.dataDir, 'backups');
  if (kind !== 'assets' && kind !== 'config') {
    throw new Failure(`cannot restore ${wanted}: ${kind} is no kind of files`, {
      exitCode: CommandExit.usage,
    });
  }
  if (alone !== undefined && dryRun === undefined) layOut(job);
  const lock = dryRun === undefined ? lockBackups(root) : undefined;
  try {
    const backup = requireWhole(
      wanted.startsWith('/')
        ? readBackupAt(wanted.replace(/\/+$/, ''))
        : findBackup(readShelf(root), wanted, kind),
    );
    if (backup.kind !== kind) {
      throw new Failure(`cannot restore ${backup.id} as ${kind}: it is of kind ${backup.kind}`, {
        exitCode: CommandExit.refused,
      });
    }
    await checkFiles(job, backup);
    const value = kind === 'assets' ? await restoreAssets(job, backup) : await restorePlanned(job, backup);
    job.report({ type: 'result', value });
  } finally {
    lock?.release();
  }
}

async function restoreAssets(job: Job, backup: WholeBackup): Promise<RestoreFilesPlan> {
  const { dryRun, replace } = job.assignment.input;
  const { id } = backup;
  const tree = join(backup.folder, TREE_FILE);
  const { roots, totals } = await readTree(tree);
  const places = placeRoots(job, id, roots);
  const plan: RestoreFilesPlan = {
    what: id,
    kind: 'assets',
    at: backup.startedAt,
    ...totals,
    folders: Object.values(places).map((folder) => ({ folder, taken: isTaken(folder), kept: undefined })),
    changes: [],
    kept: undefined,
  };
  if (dryRun !== undefined) return plan;
  const taken = plan.folders.find((each) => each.taken);
  if (taken !== undefined && replace === undefined) {
    throw new Failure(`cannot restore ${id}: there are files in ${taken.folder}`, {
      remedy: 'add --replace to put it in their place; what is there now is kept',
      exitCode: CommandExit.refused,
    });
  }
  requireRoom(job, id, totals.bytes);
  const progress = tellProgress(`restoring ${id}`, job.report);
  const { replaced } = await restoreAssetsInPlace({
    id,
    tree,
    blobs: blobsOf(join(backup.folder, '..', '..')),
    roots: places,
    signal: job.signal,
    onProgress: (files, bytes) => progress.tell(bytes, totals.bytes, `${files} files, ${formatSize(bytes)}`),
  });
  const folders = replaced.map(({ folder, kept }) => ({
    folder,
    taken: plan.folders.some((each) => each.folder === folder && each.taken),
    kept,
  }));
  job.say(`restored ${id} into ${folders.map(({ folder }) => folder).join(', ')}`);
  return { ...plan, folders };
}

async function readTree(
  path: string,
): Promise<{ readonly roots: Readonly<Record<string, string>>; readonly totals: TreeTotals }> {
  const tree = await openTree(path);
  const found = new Set<string>();
  for await (const { path: at, type } of tree) if (type === 'folder' && !at.includes('/')) found.add(at);
  const { roots } = tree.header;
  return {
    roots: Object.fromEntries(Object.entries(roots).filter(([name]) => found.has(name))),
    totals: tree.totals(),
  };
}

/** Where the plan has them now: a tree of another machine decides nothing about this one. */
function placeRoots(
  job: Job,
  id: string,
  roots: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const planned = nameRoots(job.backups.assets);
  return Object.fromEntries(
    Object.entries(roots).map(([name, was]) => {
      const place = job.backups.assets.includes(was) ? was : planned[name];
      if (place !== undefined) return [name, place];
      throw new Failure(`cannot restore ${id}: the plan has no folder ${was} among its assets`, {
        remedy: `add it to backups.assets, or: bulkhead backup unpack ${id} FOLDER`,
        exitCode: CommandExit.refused,
      });
    }),
  );
}

function isTaken(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name !== 'lost+found');
}

function requireRoom(job: Job, id: string, needed: number): void {
  const free = freeBytes(job.assignment.dataDir);
  if (free >= needed) return;
  throw new Failure(
    `cannot restore ${id}: it needs ${formatSize(needed)}, and ${job.assignment.dataDir} has ${formatSize(free)} left`,
    { remedy: 'make room on the volume; nothing was changed', exitCode: CommandExit.refused },
  );
}

async function restorePlanned(job: Job, backup: WholeBackup): Promise<RestoreFilesPlan> {
  const { dataDir, runDir, input } = job.assignment;
  const { secrets } = layoutOf(dataDir, runDir);
  const { changes, kept } = await restoreConfig({
    backup,
    identity: input.identity,
    places: [...job.backups.config, secrets],
    keepIn: join(dataDir, 'backups', 'config', 'replaced'),
    write: input.dryRun === undefined,
  });
  const { id: what, startedAt: at } = backup;
  const files = changes.filter((change) => change.what === 'new' || change.what === 'changed').length;
  if (input.dryRun === undefined) job.say(`restored ${what}: ${files} files written`);
  return { what, kind: 'config', at, files, bytes: undefined, folders: [], changes, kept };
}
