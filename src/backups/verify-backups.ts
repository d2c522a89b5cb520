/** The program `verify-backups`: what `bulkhead backup verify` asks for. */
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import type { Job } from '../program/job.ts';
import { VERIFY_LEVELS, type VerifyLevel, type VerifyResult } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { lockBackupsInTurn, sweepLeftovers } from './backups-room.ts';
import { findPostgres, type PostgresPlace } from './postgres-place.ts';
import { findBackup, isWhole, readShelf, type ShelvedBackup, type WholeBackup } from './shelf.ts';
import { stepAside } from './step-aside.ts';
import { placeToVerify, verifyBackup } from './verify-backup.ts';

/**
 * Input: `ids`, with commas between, or `all`; `level`, `restored` if it is not said; `wait`: until another one has
 * ended. `latest`, and no word at all, is the
 * newest backup of the database: that is what people want to know about, and files may have been taken after it.
 */
export async function runVerifyBackups(job: Job): Promise<void> {
  const { ids = 'latest', all, level: asked = 'restored' } = job.assignment.input;
  const level = VERIFY_LEVELS.find((each) => each === asked);
  if (level === undefined) {
    throw new Failure(`cannot verify to the level ${asked}: write one of ${VERIFY_LEVELS.join(', ')}`, {
      exitCode: CommandExit.usage,
    });
  }
  const place = findPostgres(job);
  const root = join(job.assignment.dataDir, 'backups');
  const lock = await lockBackupsInTurn(job, root);
  try {
    await sweepLeftovers(root, place.layout.pg);
    const shelf = readShelf(root);
    const wanted = all === undefined ? ids.split(',').map((id) => find(root, shelf, id)) : shelf;
    stepAside();
    const results: VerifyResult[] = [];
    for (const backup of wanted) {
      const result = isWhole(backup) ? await verifyOne(job, place, backup, level) : tellBroken(backup);
      job.say(`backup ${result.id}: ${result.ok ? `verified (${result.level})` : (result.problem ?? 'bad')}`);
      results.push(result);
    }
    job.report({ type: 'result', value: results });
  } finally {
    lock.release();
  }
}

function find(root: string, shelf: readonly ShelvedBackup[], id: string): ShelvedBackup {
  return findBackup(id === 'latest' ? readShelf(root, ['dump', 'base']) : shelf, id);
}

function verifyOne(
  job: Job,
  place: PostgresPlace,
  backup: WholeBackup,
  wanted: VerifyLevel,
): Promise<VerifyResult> {
  const { level, at } = placeToVerify(job, place, backup, wanted);
  return verifyBackup(job, at, backup, level);
}

function tellBroken({ id, broken }: ShelvedBackup): VerifyResult {
  return {
    id,
    bytes: 0,
    level: 'files',
    at: new Date().toISOString(),
    ok: false,
    problem: broken,
    durationMs: 0,
  };
}
