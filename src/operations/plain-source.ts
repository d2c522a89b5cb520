/** A dump that lies encrypted is opened for the time of its restore, and for that alone. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { decryptBackup, isEncrypted } from '../backups/encrypt-backup.ts';
import { checkFiles } from '../backups/verify-backup.ts';
import { STAGE } from '../postgres/stages.ts';
import type { Job } from '../program/job.ts';
import type { Source } from './find-source.ts';

/**
 * To be called under the lock of the backups: the next run sweeps what a kill left open. Input: `identity`, the text of
 * the key. Throws a Failure where the hashes are not those of the manifest, or the key does not fit.
 */
export async function withPlainSource<T>(
  job: Job,
  source: Source,
  work: (plain: Source) => Promise<T>,
): Promise<T> {
  if (source.kind === 'file' || source.backup.manifest.recipients === undefined) return work(source);
  const { backup } = source;
  const { identity } = job.assignment.input;
  if (identity === undefined) throw isEncrypted(backup.id);
  await checkFiles(job, backup);
  // Of this volume, wherever the backup lies: a place that is in nobody else's sight and that is swept.
  const folder = join(job.assignment.dataDir, 'backups', 'dump', `${STAGE}open-${backup.id}`);
  rmSync(folder, { recursive: true, force: true });
  const progress = { what: `decrypting ${backup.id}`, percent: undefined, detail: undefined };
  job.report({ type: 'progress', progress });
  try {
    return await work({
      kind: source.kind,
      backup: await decryptBackup(backup, identity, folder, job.signal),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
