/**
 * Before the application starts: where the order of text has changed since its indexes were built, they are built
 * again, and only then is the new version noted. The other way round (ALTER DATABASE … REFRESH alone) hides indexes
 * that find less than there is.
 */
import { Failure, messageOf } from '../base/errors.ts';
import { connectAsApp, connectAsSuperuser, type Server, type Session } from '../postgres/connect.ts';
import { type LedgerRow, writeLedger } from '../postgres/ledger.ts';
import { quoteIdentifier } from '../postgres/sql-text.ts';
import {
  type DatabaseOrder,
  isSameOrder,
  readDatabaseOrders,
  readTextOrder,
} from '../postgres/text-order.ts';
import type { Job } from '../program/job.ts';

/** OID of pg_catalog."default". */
const DEFAULT_COLLATION = 100;

/** @param session of the superuser in the maintenance database */
export async function checkCollation(
  job: Job,
  server: Server,
  session: Session,
  ledger: readonly LedgerRow[],
): Promise<void> {
  const now = await readTextOrder(session);
  const databases = await readDatabaseOrders(session);
  const before = ledger.findLast(({ detail }) => detail.order !== undefined)?.detail.order;
  const hasNewCanary = before !== undefined && before.canary !== now.canary;
  const drifted = databases.filter(({ known, actual }) => known !== actual);
  if (drifted.length === 0 && before !== undefined && isSameOrder(before, now)) return;
  const { name: database, user } = job.plan;
  const rebuilt: Record<string, number> = {};
  // A volume of before the canary: what has a version can be compared, the rest is believed.
  if (drifted.length > 0 || before !== undefined) {
    for (const each of databases) {
      const isNew = hasNewCanary || each.known !== each.actual;
      const count = await rebuildIn(job, server, each.name, { isNew, hasNewCanary });
      if (count > 0 || isNew) rebuilt[each.name] = count;
    }
  }
  await session.query('BEGIN');
  try {
    for (const each of drifted) await noteVersion(session, each);
    await writeLedger(session, {
      kind: 'collation',
      sha256: undefined,
      detail: { database, user, ...(Object.keys(rebuilt).length > 0 && { rebuilt }) },
    });
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
  const names = Object.entries(rebuilt).map(([name, count]) => `${count} of ${name}`);
  if (names.length > 0) {
    job.note(`the order of text has changed with this image: indexes were built anew, ${names.join(', ')}`);
  }
}

/** The databases whose text is sorted otherwise today than when their indexes were built; a start builds them anew. */
export async function findDrifted(session: Session, ledger: readonly LedgerRow[]): Promise<string[]> {
  const databases = await readDatabaseOrders(session);
  const before = ledger.findLast(({ detail }) => detail.order !== undefined)?.detail.order;
  const hasNewCanary = before !== undefined && before.canary !== (await readTextOrder(session)).canary;
  return databases.flatMap(({ name, known, actual }) => (hasNewCanary || known !== actual ? [name] : []));
}

/** REFRESH refuses to go between a version and none, as a move between C libraries does. */
function noteVersion(session: Session, { name, known, actual }: DatabaseOrder): Promise<unknown> {
  if (known !== null && actual !== null) {
    return session.query(`ALTER DATABASE ${quoteIdentifier(name)} REFRESH COLLATION VERSION`);
  }
  return session.query('UPDATE pg_catalog.pg_database SET datcollversion = $2 WHERE datname = $1', [
    name,
    actual,
  ]);
}

/** Returns how many indexes were built anew. */
async function rebuildIn(
  job: Job,
  server: Server,
  database: string,
  changed: { readonly isNew: boolean; readonly hasNewCanary: boolean },
): Promise<number> {
  const session = await connectAsSuperuser(server, database);
  // What an index computes is code of its owner's, so it runs in a session of the owner wherever that is the application.
  let app: Session | undefined;
  try {
    const collations = await readChangedCollations(session, changed.hasNewCanary);
    const oids = [...(changed.isNew ? [DEFAULT_COLLATION] : []), ...collations.map(({ oid }) => oid)];
    if (oids.length === 0) return 0;
    const indexes = await listIndexes(session, oids, server.appUser);
    for (const [done, { name, isOurs }] of indexes.entries()) {
      job.report({
        type: 'progress',
        progress: {
          what: `the order of text has changed: building the indexes of ${database} anew`,
          percent: Math.floor((100 * done) / indexes.length),
          detail: `${done} of ${indexes.length}, now ${name}`,
        },
      });
      if (isOurs) app ??= await connectAsApp(server, database);
      await rebuild((isOurs ? app : undefined) ?? session, database, name);
    }
    for (const { name, versioned } of collations) {
      if (versioned) await session.query(`ALTER COLLATION ${name} REFRESH VERSION`);
    }
    return indexes.length;
  } finally {
    await app?.end();
    await session.end();
  }
}

async function rebuild(session: Session, database: string, index: string): Promise<void> {
  try {
    await session.query(`REINDEX INDEX ${index}`);
  } catch (cause) {
    throw new Failure(
      `cannot build the index ${index} of ${database} anew after a change of the order of text: ${messageOf(cause)}`,
      {
        remedy:
          'start with the image of before, which sorts as the index does, mend what the error names, and start with this one again',
        cause,
      },
    );
  }
}

/** Collations of their own whose library has another version than it had; with a new canary also those without any. */
async function readChangedCollations(
  session: Session,
  hasNewCanary: boolean,
): Promise<{ oid: number; name: string; versioned: boolean }[]> {
  const { rows } = await session.query<{ oid: number; name: string; versioned: boolean }>(
    `SELECT c.oid::int8::int AS oid, format('%I.%I', n.nspname, c.collname) AS name, collversion IS NOT NULL AS versioned
       FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
      WHERE (collversion IS NOT NULL AND pg_catalog.pg_collation_actual_version(c.oid) IS NOT NULL
             AND collversion <> pg_catalog.pg_collation_actual_version(c.oid))
         OR ($1 AND collversion IS NULL AND collprovider = 'c' AND collcollate NOT IN ('C', 'POSIX'))`,
    [hasNewCanary],
  );
  return rows;
}

/** Sorted by one of the collations, or by what is not told: an expression, a condition, a range over text. */
async function listIndexes(
  session: Session,
  collations: readonly number[],
  appUser: string,
): Promise<{ name: string; isOurs: boolean }[]> {
  const { rows } = await session.query<{ name: string; isOurs: boolean }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_catalog.pg_get_userbyid(c.relowner) = $2 AS "isOurs"
       FROM pg_catalog.pg_index i
       JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'i' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
        AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL
          OR EXISTS (SELECT FROM unnest(i.indcollation::oid[]) k WHERE k = ANY ($1::oid[]))
          OR EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_range r ON r.rngtypid = a.atttypid
                      WHERE a.attrelid = i.indexrelid AND r.rngcollation = ANY ($1::oid[])))
      ORDER BY 1`,
    [collations, appUser],
  );
  return rows;
}
