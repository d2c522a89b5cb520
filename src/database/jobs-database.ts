/** The database of the queue, beside the application's: made once, and never brought back by a restore. */
import { Failure } from '../base/errors.ts';
import { databaseExists, dropDatabase } from '../postgres/app-database.ts';
import type { Session } from '../postgres/connect.ts';
import { JOBS_DATABASE } from '../postgres/layout.ts';
import type { LedgerRow } from '../postgres/ledger.ts';
import { quoteIdentifier, quoteLiteral } from '../postgres/sql-text.ts';
import type { Job } from '../program/job.ts';
import { reconcileRole } from './app-role.ts';

const NAME = quoteIdentifier(JOBS_DATABASE);

/**
 * Also on a volume that has an application's database already. What it holds is the worker's. Where a restore brought the
 * whole cluster back, the jobs in it were waiting then and have been done since: it begins anew.
 */
export async function prepareJobsDatabase(
  job: Job,
  session: Session,
  ledger: readonly LedgerRow[],
): Promise<void> {
  const { jobsPassword } = job.assignment.secrets;
  if (jobsPassword === undefined)
    throw new Failure('internal error: the set-up was not told the password of the queue');
  const changed = await reconcileRole(session, JOBS_DATABASE, jobsPassword);
  if (changed !== undefined) job.say(changed);
  const since = ledger.findLast(({ detail }) => detail.whole)?.id ?? 'the beginning';
  if (await databaseExists(session, JOBS_DATABASE)) {
    const mark = await readMark(session);
    if (mark === markOf(since)) return;
    // Made by a start that was killed before it said so, or moved into a new major: what it holds is of now.
    if (mark === null) return seal(session, since);
    await dropDatabase(session, JOBS_DATABASE);
    job.note('the queue came back with the backup: its jobs are dropped, for they are not of now');
  }
  await session.query(`CREATE DATABASE ${NAME} OWNER ${NAME} TEMPLATE template0 ENCODING 'UTF8'`);
  await seal(session, since);
  job.say(`created the database ${JOBS_DATABASE}`);
}

/** Nobody but its role may look into it: what jobs are given may be secret. */
async function seal(session: Session, since: string): Promise<void> {
  await session.query(`REVOKE ALL ON DATABASE ${NAME} FROM PUBLIC`);
  await session.query(`COMMENT ON DATABASE ${NAME} IS ${quoteLiteral(markOf(since))}`);
}

async function readMark(session: Session): Promise<string | null> {
  const { rows } = await session.query<{ mark: string | null }>(
    `SELECT pg_catalog.shobj_description(oid, 'pg_database') AS mark FROM pg_catalog.pg_database WHERE datname = $1`,
    [JOBS_DATABASE],
  );
  return rows[0]?.mark ?? null;
}

function markOf(since: string): string {
  return `The queue of this volume, since ${since}`;
}
