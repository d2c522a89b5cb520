/** Before a migration that is another one than at the last start, the database is dumped, once. */
import type { Session } from '../postgres/connect.ts';
import { hasLedger, readLedger, writeLedger } from '../postgres/ledger.ts';
import type { Job } from '../program/job.ts';
import { fingerprintMigration } from './migration-fingerprint.ts';

/** Makes the dump and resolves with its id; undefined where this installation cannot, which it has said. */
export type MakeSafetyDump = (job: Job) => Promise<string | undefined>;

export interface Migrated {
  /** Of the database that the ledger is in. */
  readonly session: Session;
  /** It was made, or filled, by this very start: there is nothing yet that a migration could spoil. */
  readonly isNew: boolean;
  isEmpty(): Promise<boolean>;
}

/**
 * The row is compared with the last one, so a migration that fails at every start is dumped for once, and the good dump
 * is never pushed out. Throws a Failure where the migration must not go on.
 */
export async function prepareMigration(
  job: Job,
  { session, isNew, isEmpty }: Migrated,
  makeDump: MakeSafetyDump,
): Promise<void> {
  const { migration, name: database, user } = job.plan;
  if (!migration?.safetyDump) return;
  if (!(await hasLedger(session))) {
    job.say('no safety dump before migrations: without a ledger nobody knows whether they changed');
    return;
  }
  const sha256 = fingerprintMigration(migration);
  const last = (await readLedger(session)).findLast(({ kind }) => kind === 'before-migration');
  if (last?.sha256 === sha256) return;
  const backup = isNew || (await isEmpty()) ? undefined : await makeDump(job);
  await writeLedger(session, {
    kind: 'before-migration',
    sha256,
    detail: { database, user, ...(backup === undefined ? {} : { backup }) },
  });
}
