/** The dump that a boot makes before a migration that has changed. */
import { join } from 'node:path';
import { lockBackups, sweepLeftovers } from '../backups/backups-room.ts';
import { makeDatabaseBackup } from '../backups/make-database.ts';
import { findPostgres } from '../backups/postgres-place.ts';
import { pruneBackups } from '../backups/prune.ts';
import { Failure } from '../base/errors.ts';
import type { Job } from '../program/job.ts';

const LABEL = 'before-migration';

/**
 * Resolves with its id; undefined, with a note, where there are no tools for it: refusing would end every boot of such an
 * installation. Throws a Failure where the disk is full or the database cannot be read, for then a migration is dangerous.
 */
export async function makeSafetyDump(job: Job): Promise<string | undefined> {
  job.say(`the migration is another one than at the last start: dumping ${job.plan.name} before it`);
  try {
    return await dump(job);
  } catch (error) {
    job.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    // Of a server that is not ours others may have copies, and what its role may not read was never ours to keep.
    if (error.code === 'no-client' || (job.plan.external && error.code !== 'no-room')) {
      const remedy = error.remedy === undefined ? '' : `; ${error.remedy}`;
      job.note(
        `the changed migration runs without a dump of the database before it: ${error.message}${remedy}`,
      );
      return undefined;
    }
    throw new Failure(
      `the changed migration was not begun, for no dump could be made before it: ${error.message}`,
      {
        remedy: `${error.remedy ?? 'see `bulkhead logs`'}; database.migrate.safety_dump: false migrates without one`,
        cause: error,
      },
    );
  }
}

async function dump(job: Job): Promise<string> {
  const root = join(job.assignment.dataDir, 'backups');
  const place = findPostgres(job);
  const lock = lockBackups(root);
  try {
    await sweepLeftovers(root, place.layout.pg);
    const { backup } = await makeDatabaseBackup(job, place, root, {
      kind: 'dump',
      level: 'readable',
      label: LABEL,
    });
    job.say(
      `made backup ${backup.id} before the migration; back to it: bulkhead backup restore ${backup.id} --replace`,
    );
    pruneBackups({ root, keep: job.backups.keep, now: Date.now(), dryRun: false, only: LABEL });
    return backup.id;
  } finally {
    lock.release();
  }
}
