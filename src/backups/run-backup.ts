/** The program `backup`: make, verify, copy elsewhere, and only when all of that went well, prune. */
import { join } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { lockDatabases } from '../postgres/app-database.ts';
import { connectAsSuperuser, type Server, serverOf } from '../postgres/connect.ts';
import { readIdentity } from '../postgres/identity.ts';
import type { Job } from '../program/job.ts';
import {
  type BackupKind,
  type BackupRunResult,
  type MadeBackup,
  VERIFY_LEVELS,
  type VerifyLevel,
} from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { freeBytes } from '../system/files.ts';
import { lockBackups, requireRoom, sweepLeftovers } from './backups-room.ts';
import { copyBaseInto, readBaseFacts } from './base-backup.ts';
import { dumpInto, readDatabaseSize } from './dump-backup.ts';
import { encryptBackup } from './encrypt-backup.ts';
import { noteRun } from './last-run.ts';
import { type BackupMaking, makeBackup } from './make-backup.ts';
import { assetsInto, configInto, sweepAssets } from './make-files.ts';
import { endGap } from './moments.ts';
import { copyOffsite } from './offsite/copy-offsite.ts';
import { findPostgres, type PostgresPlace } from './postgres-place.ts';
import { pruneBackups } from './prune.ts';
import { readShelf, viewOf, type WholeBackup } from './shelf.ts';
import { stepAside } from './step-aside.ts';
import { deepest, noteVerified, sizeOf, verifyBackup } from './verify-backup.ts';

/** What people ask for, and the kinds it makes, in order. */
const RUNS: Readonly<Record<string, readonly BackupKind[]>> = {
  daily: ['dump', 'assets', 'config'],
  base: ['base'],
  assets: ['assets'],
  config: ['config'],
};

/** Larger databases are restored only when somebody asks for it: it takes their size again, and their time. */
const RESTORE_BELOW = 2 * 1024 ** 3;
/** Tables and indexes anew, and the WAL they make. */
const RESTORE_FACTOR = 1.5;

/** Input: `what` (see RUNS), `level`: how deeply to verify, where people say so, and `full`: read every asset. */
export async function runBackup(job: Job): Promise<void> {
  const { what = '', level } = job.assignment.input;
  const kinds = RUNS[what];
  const wanted = VERIFY_LEVELS.find((each) => each === level);
  if (kinds === undefined || (level !== undefined && wanted === undefined)) {
    throw new Failure(`cannot run the backup "${what}": write one of ${Object.keys(RUNS).join(', ')}`, {
      exitCode: CommandExit.usage,
    });
  }
  const place = findPostgres(job);
  const root = join(job.assignment.dataDir, 'backups');
  const lock = lockBackups(root);
  let problem: Failure | undefined;
  try {
    await sweepLeftovers(root, place.layout.pg);
    noteRun(root, what, { ok: false, problem: 'it did not come to its end' });
    const made: MadeBackup[] = [];
    for (const kind of kinds) made.push(await makeOne(job, place, root, kind, wanted));
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

async function makeOne(
  job: Job,
  place: PostgresPlace,
  root: string,
  kind: BackupKind,
  wanted: VerifyLevel | undefined,
): Promise<MadeBackup> {
  if (kind === 'assets' || kind === 'config') return makeFiles(job, place, root, kind);
  const began = performance.now();
  const { making, restoredSize } = await prepare(job, place, root, kind);
  const backup = await makeBackup(making);
  const durationMs = Math.round(performance.now() - began);
  const level = wanted ?? chooseLevel(job, place, restoredSize);
  stepAside();
  const verified = await verifyBackup(job, place, backup, level);
  if (!verified.ok) {
    throw new Failure(`cannot rely on the backup ${backup.id}: ${verified.problem}`, {
      remedy: 'it is kept and marked as bad; look at the disk and the log, then run it again',
    });
  }
  const { recipients } = job.backups;
  const kept =
    kind === 'dump' && recipients.length > 0 ? await encryptBackup(backup, recipients, job.signal) : backup;
  return { backup: viewOf({ ...kept, verified }), durationMs, verified };
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

interface Prepared {
  readonly making: BackupMaking;
  /** Bytes a restored copy will take. */
  readonly restoredSize: number;
}

/** Everything that can be known to be wrong before a byte is written. */
async function prepare(job: Job, place: PostgresPlace, root: string, kind: BackupKind): Promise<Prepared> {
  const server = serverOf(job.assignment, job.plan);
  const common = {
    root,
    kind,
    installId: readIdentity(place.layout.identity)?.installId,
    signal: job.signal,
  };
  const locked = (fill: BackupMaking['fill']): BackupMaking['fill'] => {
    return (stage) => whileLocked(server, () => fill(stage));
  };
  if (kind === 'base') {
    const facts = await readBaseFacts(server);
    requireRoom(root, facts.size, job.backups.diskFloor);
    // What this backup needs comes after this moment, so whatever is missing before ends to matter.
    const gap = endGap(root, place.layout);
    if (gap) job.say(`the write-ahead log is archived again; it was not since ${gap.since}`);
    const fill = locked((stage) => copyBaseInto(job, server, place, facts, stage));
    return { making: { ...common, fill }, restoredSize: facts.size };
  }
  const size = await readDatabaseSize(server, job.plan.name);
  const last = readShelf(root, [kind]).find(({ broken }) => broken === undefined);
  // As the last one and a bit more; of the first it is known only that it is packed, and has no indexes.
  const needed = last === undefined ? size / 2 : sizeOf(last as WholeBackup) * 1.2;
  requireRoom(root, needed, job.backups.diskFloor);
  const fill = locked((stage) => dumpInto({ job, server, place, stage }));
  return { making: { ...common, fill }, restoredSize: size };
}

/** An import that swaps the database in the midst of a dump would end it. */
async function whileLocked<T>(server: Server, work: () => Promise<T>): Promise<T> {
  const session = await connectAsSuperuser(server);
  try {
    await lockDatabases(session);
    return await work();
  } finally {
    await session.end();
  }
}

function chooseLevel(job: Job, { layout }: PostgresPlace, size: number): VerifyLevel {
  const why =
    size >= RESTORE_BELOW
      ? `the database has ${formatSize(size)}`
      : freeBytes(layout.pg) - size * RESTORE_FACTOR < job.backups.diskFloor
        ? 'the disk has no room for a copy'
        : undefined;
  if (why === undefined) return 'restored';
  job.note(
    `the backup was read to its end but not restored: ${why}; bulkhead backup verify latest --level restored does`,
  );
  return 'readable';
}
