/** Backups of kinds that hold no database: the files that belong to the data, and the configuration. */
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { encrypt } from '../archives/age.ts';
import { formatSize } from '../base/size.ts';
import { layoutOf } from '../postgres/layout.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { sweepBlobs } from './assets/read-assets.ts';
import { takeAssets } from './assets/take-assets.ts';
import { TREE_FILE } from './assets/tree.ts';
import { readConfig, takeConfig } from './config/config-backup.ts';
import type { BackupContent } from './make-backup.ts';
import { isWhole, readShelf } from './shelf.ts';

/** Contents by their hash, shared by all backups of assets. */
export function blobsOf(root: string): string {
  return join(root, 'assets', 'blobs');
}

/** Input: `full`: every file is read, whatever the backup before knows of it. */
export async function assetsInto(job: Job, root: string, stage: string): Promise<BackupContent> {
  const startedAt = new Date().toISOString();
  const before = readShelf(root, ['assets']).find(isWhole);
  const progress = tellProgress('backing up assets', job.report);
  const taken = await takeAssets({
    roots: job.backups.assets,
    blobs: blobsOf(root),
    stage,
    previous: before && job.assignment.input.full === undefined ? join(before.folder, TREE_FILE) : undefined,
    signal: job.signal,
    onProgress: (files, bytes) => progress.tell(files, 0, `${files} files, ${formatSize(bytes)}`),
  });
  job.say(
    `assets: ${taken.files} files, ${formatSize(taken.bytes)}; ${taken.added} contents are new, ${formatSize(taken.addedBytes)}`,
  );
  tellSome(job, 'not in the backup, because it is no file or folder', taken.skipped);
  tellSome(job, 'changed each time it was read, so it may be half old and half new', taken.torn);
  return { startedAt };
}

/** Read to its end before it is encrypted: afterwards only the owner of the key can. */
export async function configInto(job: Job, stage: string): Promise<BackupContent> {
  const startedAt = new Date().toISOString();
  const { recipients, config: sources } = job.backups;
  const { secrets } = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const { signal } = job;
  const withSecrets = recipients.length > 0;
  const { file, files, leftOut } = await takeConfig({ sources, secrets, withSecrets, stage, signal });
  const path = join(stage, file);
  await readConfig(path, undefined);
  job.say(`configuration: ${files} files`);
  if (!withSecrets) {
    tellSome(
      job,
      'left out of the backup as a secret; with `backups.recipients` it would be encrypted',
      leftOut,
    );
    return { startedAt };
  }
  await pipeline(
    encrypt(createReadStream(path), { recipients }),
    createWriteStream(`${path}.age`, { flags: 'wx', mode: 0o600 }),
    { signal },
  );
  rmSync(path);
  return { startedAt, recipients };
}

/** Under the lock, behind pruning. A tree that cannot be read keeps every content. */
export async function sweepAssets(root: string, note: (text: string) => void): Promise<number> {
  const trees = readShelf(root, ['assets']).map(({ folder }) => join(folder, TREE_FILE));
  try {
    return await sweepBlobs(trees, blobsOf(root));
  } catch (error) {
    note(`contents of assets that nobody needs are kept: ${error instanceof Error ? error.message : error}`);
    return 0;
  }
}

const NAMED = 5;

function tellSome(job: Job, what: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  job.note(`${what}: ${names.slice(0, NAMED).join(', ')}${more}`);
}
