/** Counts what is there against what the dump had. */
import { Failure } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { readableName } from '../postgres/sql-text.ts';

export interface ExpectedRows {
  /** What to look it up by: an oid, or a quoted name. */
  readonly table: string;
  readonly name: string;
  readonly expected: number;
}

/**
 * Compares in a session of the application role: what the dump's own views, policies and functions do while they are
 * counted, they do as that role. Returns the tables that could not be counted. Throws where a count differs.
 */
export async function verifyRows(
  session: Session,
  dump: string,
  tables: readonly ExpectedRows[],
  { inTransaction }: { readonly inTransaction: boolean },
): Promise<string[]> {
  const uncounted: string[] = [];
  // A policy would hide rows; off means an error instead, and then the table is not countable for this role.
  await session.query('SET row_security = off');
  for (const { table, name, expected } of tables) {
    const counted = await countRows(session, table, inTransaction);
    if (counted === undefined) uncounted.push(readableName(name));
    else if (counted !== expected) {
      throw new Failure(
        `cannot import ${dump}: ${readableName(name)} has ${counted.toLocaleString('en-US')} rows and the dump ${expected.toLocaleString('en-US')}`,
        {
          remedy:
            'nothing was changed; look for triggers or rules in the dump that change rows while they are read in',
        },
      );
    }
  }
  return uncounted;
}

async function countRows(
  session: Session,
  table: string,
  inTransaction: boolean,
): Promise<number | undefined> {
  const { rows } = await session.query<{ name: string; relkind: string }>(
    `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS relkind
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = CASE WHEN $1 ~ '^[0-9]+$' THEN $1::pg_catalog.oid ELSE pg_catalog.to_regclass($1)::pg_catalog.oid END`,
    [table],
  );
  const found = rows[0];
  // COPY into a view goes wherever its trigger says.
  if (!found || (found.relkind !== 'r' && found.relkind !== 'p')) return undefined;
  // What cannot be counted must not end the transaction with it.
  if (inTransaction) await session.query('SAVEPOINT bulkhead');
  try {
    // Without ONLY, a parent would count the rows of the tables that inherit from it; a partitioned one has none itself.
    const only = found.relkind === 'r' ? 'ONLY ' : '';
    const counted = await session.query<{ rows: string }>(
      `SELECT pg_catalog.count(*) AS rows FROM ${only}${found.name}`,
    );
    return Number(counted.rows[0]?.rows);
  } catch {
    if (inTransaction) await session.query('ROLLBACK TO SAVEPOINT bulkhead');
    return undefined;
  }
}
