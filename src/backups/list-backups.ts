/** What `bulkhead backup list` shows; it asks nobody, for after a disaster nobody is there. */
import type { BackupList } from '../protocol/backups.ts';
import { readLastRun } from './last-run.ts';
import { readShelf, viewOf } from './shelf.ts';

/** Throws a Failure where the folder is closed to us. */
export function listBackups(root: string): BackupList {
  return { backups: readShelf(root).map(viewOf), lastRun: readLastRun(root) };
}
