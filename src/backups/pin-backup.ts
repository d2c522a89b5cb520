/** The program `pin-backup`: a pinned backup is never pruned. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../program/job.ts';
import { PINNED } from '../protocol/backups.ts';
import { syncFolder } from '../system/write-file-atomic.ts';
import { lockBackups } from './backups-room.ts';
import { findBackup, readShelf } from './shelf.ts';

/** Input: `id`; `unpin`, where it shall be one like the others again. */
export async function runPinBackup(job: Job): Promise<void> {
  const { id = '', unpin } = job.assignment.input;
  const root = join(job.assignment.dataDir, 'backups');
  const lock = lockBackups(root);
  try {
    const backup = findBackup(readShelf(root), id);
    const pinned = unpin === undefined;
    if (pinned) closeSync(openSync(join(backup.folder, PINNED), 'a', 0o640));
    else rmSync(join(backup.folder, PINNED), { force: true });
    syncFolder(backup.folder);
    job.report({ type: 'result', value: { id: backup.id, pinned } });
  } finally {
    lock.release();
  }
}
