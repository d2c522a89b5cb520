/** Whether a backup is what its manifest says, in three depths; what was found is written beside it. */
import { join } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import {
  CLUSTER_FOLDER,
  dumpFile,
  VERIFIED,
  VERIFY_LEVELS,
  type Verification,
  type VerifyLevel,
  type VerifyResult,
} from '../protocol/backups.ts';
import { runTool } from '../system/commands.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';
import { verifyAssets } from './assets/read-assets.ts';
import { TREE_FILE } from './assets/tree.ts';
import { BadBackup, blameBackup } from './bad-backup.ts';
import { tellBytes } from './byte-progress.ts';
import { CONFIG_FILE, readConfig } from './config/config-backup.ts';
import { blobsOf } from './make-files.ts';
import { type PostgresPlace, placeToDump, placeToRestore, requireTool } from './postgres-place.ts';
import { restoreBase } from './restore-base.ts';
import { restoreDump } from './restore-dump.ts';
import { hashFile } from './seal.ts';
import type { WholeBackup } from './shelf.ts';

/**
 * Throws only where it could not be found out: asked to stop, no disk, no tool. That the backup is bad is a result.
 * A shallower look that finds nothing leaves what a deeper one has shown.
 */
export async function verifyBackup(
  job: Job,
  place: PostgresPlace,
  backup: WholeBackup,
  wanted: VerifyLevel,
): Promise<VerifyResult> {
  const began = performance.now();
  let bytes = sizeOf(backup);
  let problem: string | undefined;
  let level = wanted;
  try {
    await checkFiles(job, backup);
    try {
      if (level === 'restored') bytes = await restoreIt(job, place, backup);
    } catch (error) {
      if (!job.plan.external || !(error instanceof Failure) || error.code !== 'no-extension') throw error;
      job.note(`the backup ${backup.id} is read to its end but not restored: ${error.message}`);
      level = 'readable';
    }
    if (level === 'readable') await readThrough(job, place, backup);
  } catch (error) {
    job.signal.throwIfAborted();
    if (!(error instanceof BadBackup)) throw error;
    problem = messageOf(error);
  }
  const verification: Verification = {
    level,
    at: new Date().toISOString(),
    ok: problem === undefined,
    problem,
    durationMs: Math.round(performance.now() - began),
  };
  const before = backup.verified;
  const isLess = before?.ok && VERIFY_LEVELS.indexOf(before.level) > VERIFY_LEVELS.indexOf(level);
  if (problem !== undefined || !isLess) {
    try {
      noteVerified(backup, verification);
    } catch (error) {
      // Backups on a medium that is mounted read-only are as good.
      if (!['EROFS', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
    }
  }
  return { id: backup.id, bytes, ...verification };
}

/** Written beside it as the newest. */
export function noteVerified(backup: WholeBackup, verification: Verification): Verification {
  const { level, at, ok, problem, durationMs } = verification;
  const kept = { level, at, ok, problem, durationMs };
  writeFileAtomic(join(backup.folder, VERIFIED), `${JSON.stringify(kept)}\n`, { mode: 0o640 });
  return kept;
}

/** What is kept of kinds that hold no database is their files; of what is encrypted nothing more can be shown than those. */
export function deepest(backup: WholeBackup, wanted: VerifyLevel): VerifyLevel {
  if (backup.manifest.recipients !== undefined) return 'files';
  return backup.kind === 'dump' || backup.kind === 'base'
    ? wanted
    : wanted === 'restored'
      ? 'readable'
      : wanted;
}

/**
 * How deeply it can be looked at here, and by which PostgreSQL: a dump of a newer server than any that is installed, or
 * where there is none at all, is read and not restored.
 */
export function placeToVerify(
  job: Job,
  place: PostgresPlace,
  backup: WholeBackup,
  wanted: VerifyLevel,
): { readonly level: VerifyLevel; readonly at: PostgresPlace } {
  const level = deepest(backup, wanted);
  if (backup.kind !== 'dump' || level === 'files') return { level, at: place };
  const major = backup.manifest.server?.major ?? place.binaries.major;
  const at = placeToRestore(place, major);
  if (at) return { level, at };
  if (level === 'restored') {
    job.note(
      `the backup ${backup.id} is read to its end but not restored: here is no server of PostgreSQL ${major} or newer to restore it into; add the package postgresql-${major} to the image`,
    );
  }
  return { level: 'readable', at: placeToDump(place, major, `read ${backup.id}`) };
}

export function sizeOf({ manifest }: WholeBackup): number {
  return manifest.files.reduce((sum, { size }) => sum + size, 0);
}

/** Throws BadBackup where a file is not what the manifest says. */
export async function checkFiles(job: Job, backup: WholeBackup): Promise<void> {
  const tell = tellBytes(`reading ${backup.id}`, sizeOf(backup), job.report);
  let done = 0;
  for (const { path, size, sha256 } of backup.manifest.files) {
    const found = await hashFile(join(backup.folder, path), job.signal).catch((error: unknown) => {
      job.signal.throwIfAborted();
      throw new BadBackup(`${path} cannot be read: ${messageOf(error)}`);
    });
    if (found.size !== size) throw new BadBackup(`${path} has ${found.size} bytes instead of ${size}`);
    if (found.sha256 !== sha256) throw new BadBackup(`${path} has other content than when it was made`);
    done += size;
    tell(done);
  }
}

/** By the tools anybody would restore it with. */
async function readThrough(job: Job, { binaries }: PostgresPlace, backup: WholeBackup): Promise<void> {
  const run = async (argv: readonly string[]): Promise<void> => {
    const env = { PATH: process.env.PATH, LC_ALL: 'C', ...binaries.env };
    const result = await runTool(argv, { env, signal: job.signal });
    job.signal.throwIfAborted();
    if (!result.failed) return;
    const last = result.stderr.trim().split('\n').at(-1);
    const failed = new Failure(`cannot read ${backup.id}: ${result.message}${last ? `: ${last}` : ''}`, {
      remedy:
        'see that the machine has memory and room, and verify it once more; nothing is known of the backup',
    });
    // Killed, or never started.
    if (result.exitCode === undefined) throw failed;
    blameBackup(last || (result.message ?? 'it cannot be read'), failed);
  };
  job.report({
    type: 'progress',
    progress: { what: `reading ${backup.id}`, percent: undefined, detail: undefined },
  });
  if (backup.kind === 'assets') await readAssets(job, backup);
  if (backup.kind === 'config') await readConfig(join(backup.folder, CONFIG_FILE), undefined).catch(toBad);
  if (backup.kind === 'base') {
    const verify = requireTool(binaries, 'pg_verifybackup', `verify ${backup.id}`);
    await run([verify, '--exit-on-error', '--quiet', join(backup.folder, CLUSTER_FOLDER)]);
  }
  for (const { name } of backup.kind === 'dump' ? (backup.manifest.databases ?? []) : []) {
    const pgRestore = requireTool(binaries, 'pg_restore', `verify ${backup.id}`);
    await run([pgRestore, '--file=/dev/null', join(backup.folder, dumpFile(name))]);
  }
}

/** Every content that its tree refers to. */
async function readAssets(job: Job, backup: WholeBackup): Promise<void> {
  const progress = tellProgress(`reading ${backup.id}`, job.report);
  const blobs = blobsOf(join(backup.folder, '..', '..'));
  const { problems } = await verifyAssets(join(backup.folder, TREE_FILE), blobs, {
    signal: job.signal,
    setAside: true,
    onProgress: (files, bytes) => progress.tell(files, 0, `${files} files, ${formatSize(bytes)}`),
  });
  if (problems.length > 0) throw new BadBackup(problems.join('; '));
}

function toBad(error: unknown): never {
  throw new BadBackup(messageOf(error));
}

/** Resolves to the bytes of the databases that came out of it. */
async function restoreIt(job: Job, place: PostgresPlace, backup: WholeBackup): Promise<number> {
  if (backup.kind === 'base') {
    await readThrough(job, place, backup);
    return restoreBase(job, place, backup);
  }
  return restoreDump(job, place, {
    id: backup.id,
    databases: backup.manifest.databases ?? [],
    fileOf: (database) => join(backup.folder, dumpFile(database)),
  });
}
