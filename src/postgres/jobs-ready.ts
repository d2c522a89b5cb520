/**
 * In the folder of the sockets: a set-up has made the role and the database of the queue. No order of starting says it,
 * for the queue lives without its database, also where that never comes.
 *
 * It holds for the boot whose set-up wrote it and for the cluster it was written beside: in one that a restore has put
 * there the jobs are of then, and a worker that came before the set-up would do them again and lose the tables under its
 * feet. It outlives a run of the task `cluster` alone, which no set-up follows.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStart } from '../system/process-table.ts';

export const JOBS_READY = 'jobs-ready';

/** Called by the set-up, for everybody to see. @param socketDir of our own cluster */
export function tellJobsDatabaseReady(socketDir: string): void {
  const path = join(socketDir, JOBS_READY);
  // Of an earlier boot, whose user may have been another.
  rmSync(path, { force: true });
  writeFileSync(path, bootOf(process.ppid), { mode: 0o644 });
}

/** Called where another cluster comes into force. */
export function forgetJobsDatabase(socketDir: string): void {
  rmSync(join(socketDir, JOBS_READY), { force: true });
}

/** @param supervisor whose set-up is meant */
export function isJobsDatabaseReady(socketDir: string, supervisor: number): boolean {
  try {
    return readFileSync(join(socketDir, JOBS_READY), 'utf8') === bootOf(supervisor);
  } catch {
    return false;
  }
}

/** The set-up and the worker are children of the same supervisor. */
function bootOf(supervisor: number): string {
  return `${supervisor} ${readStart(supervisor)}`;
}
