/** The program `backup`: make, verify, copy elsewhere, and only when all of that went well, prune. */
import { join } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { nameServer } from '../config/external-url.ts';
import { readIdentity } from '../postgres/identity.ts';
import type { Job } from '../program/job.ts';
import {
  type BackupKind,
  type BackupRunResult,
  type MadeBackup,
  VERIFY_LEVELS,
} from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { lockBackupsInTurn, requireRoom, sweepLeftovers } from './backups-room.ts';
import { noteRun } from './last-run.ts';
import { makeBackup } from './make-backup.ts';
import { makeDatabaseBackup } from './make-database.ts';
import { assetsInto, configInto, sweepAssets } from './make-files.ts';
import { copyOffsite } from './offsite/copy-offsite.ts';
import { findPostgres, type PostgresPlace } from './postgres-place.ts';
import { pruneBackups } from './prune.ts';
import { viewOf } from './shelf.ts';
import { stepAside } from './step-aside.ts';
import { deepest, noteVerified, verifyBackup } from './verify-backup.ts';

/** What people ask for, and the kinds it makes, in order. */
const RUNS: Readonly<Record<string, readonly BackupKind[]>> = {
  daily: ['dump', 'assets', 'config'],
  base: ['base'],
  assets: ['assets'],
  config: ['config'],
};

/**
 * Input: `what` (see RUNS), `level`: how deeply to verify, where people say so, `full`: read every asset, and `wait`: until
 * another one has ended.
 */
export async function runBackup(job: Job): Promise<void> {
  const { what = '', level } = job.assignment.input;
  const kinds = RUNS[what];
  const wanted = VERIFY_LEVELS.find((each) => each === level);
  if (kinds === undefined || (level !== undefined && wanted === undefined)) {
    throw new Failure(`cannot run the backup "${what}": write one of ${Object.keys(RUNS).join(', ')}`, {
      exitCode: CommandExit.usage,
    });
  }
  if (job.plan.external && kinds.includes('base')) {
    throw new Failure(
      `cannot make a base backup: only of our own cluster, and the database is at ${nameServer(job.plan.external)}`,
      {
        remedy: "bulkhead backup run daily dumps it; copies of that server's files are made there",
        exitCode: CommandExit.refused,
      },
    );
  }
  const place = findPostgres(job);
  const root = join(job.assignment.dataDir, 'backups');
  const lock = await lockBackupsInTurn(job, root);
  let problem: Failure | undefined;
  try {
    await sweepLeftovers(root, place.layout.pg);
    noteRun(root, what, { ok: false, problem: 'it did not come to its end' });
    const made: MadeBackup[] = [];
    for (const kind of kinds) {
      made.push(
        kind === 'assets' || kind === 'config'
          ? await makeFiles(job, place, root, kind)
          : await makeDatabaseBackup(job, place, root, { kind, level: wanted }),
      );
    }
    noteRun(root, what, { ok: true });
    const pruned = pruneBackups({ root, keep: job.backups.keep, now: Date.now(), dryRun: false });
    await sweepAssets(root, job.note);
    const result: BackupRunResult = { made, pruned };
    for (const { backup, verified } of made) {
      job.say(`made backup ${backup.id}: ${formatSize(backup.size)}, verified: ${verified.level}`);
    }
    job.report({ type: 'result', value: result });
    problem = await copyOffsite(job, root);
  } catch (error) {
    try {
      noteRun(root, what, { ok: false, problem: messageOf(error) });
    } catch {
      // On a full disk the note from the beginning stands.
    }
    throw error;
  } finally {
    lock.release();
  }
  // The one here counts: it was a good run, and yet somebody has to look.
  if (problem !== undefined) {
    throw new Failure(`the backup is saved here, but not offsite: ${problem.message}`, {
      ...(problem.remedy === undefined ? {} : { remedy: problem.remedy }),
      exitCode: CommandExit.failed,
    });
  }
}

/** They need no server. */
async function makeFiles(
  job: Job,
  place: PostgresPlace,
  root: string,
  kind: 'assets' | 'config',
): Promise<MadeBackup> {
  const began = performance.now();
  requireRoom(root, 0, job.backups.diskFloor);
  const backup = await makeBackup({
    root,
    kind,
    installId: readIdentity(place.layout.identity)?.installId,
    signal: job.signal,
    fill: (stage) => (kind === 'assets' ? assetsInto(job, root, stage) : configInto(job, stage)),
  });
  const durationMs = Math.round(performance.now() - began);
  stepAside();
  const verified = await verifyBackup(job, place, backup, deepest(backup, 'readable'));
  if (!verified.ok) {
    throw new Failure(`cannot rely on the backup ${backup.id}: ${verified.problem}`, {
      remedy: 'it is kept and marked as bad; look at the disk and the log, then run it again',
    });
  }
  // What is encrypted now was read to its end before it was.
  if (backup.manifest.recipients === undefined)
    return { backup: viewOf({ ...backup, verified }), durationMs, verified };
  const proven = noteVerified(backup, { ...verified, level: 'readable' });
  return {
    backup: viewOf({ ...backup, verified: proven }),
    durationMs,
    verified: { ...verified, ...proven },
  };
}
