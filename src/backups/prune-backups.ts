/** The program `prune-backups`: what `bulkhead backup prune` asks for. */
import { join } from 'node:path';
import type { Job } from '../program/job.ts';
import { lockBackups } from './backups-room.ts';
import { sweepAssets } from './make-files.ts';
import { pruneBackups } from './prune.ts';

/** Input: `dryRun`, where nothing shall be removed. */
export async function runPruneBackups(job: Job): Promise<void> {
  const root = join(job.assignment.dataDir, 'backups');
  const lock = lockBackups(root);
  try {
    const dryRun = job.assignment.input.dryRun !== undefined;
    const result = pruneBackups({ root, keep: job.backups.keep, now: Date.now(), dryRun });
    for (const { id, keep } of result.backups) if (!keep && !dryRun) job.say(`removed backup ${id}`);
    if (!dryRun) await sweepAssets(root, job.note);
    job.report({ type: 'result', value: result });
  } finally {
    lock.release();
  }
}
