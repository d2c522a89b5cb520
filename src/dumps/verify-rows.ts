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

export interface VerifyOptions {
  /** The session is in one, and what cannot be counted must not end it. */
  readonly inTransaction: boolean;
  /** Told how many tables were counted. */
  onTables?(done: number): void;
}

/** So many tables are counted by one statement: a round trip each would cost more than the counting of small ones. */
const AT_ONCE = 32;

/**
 * Compares in a session of the application role: what the dump's own views, policies and functions do while they are
 * counted, they do as that role. Returns the tables that could not be counted. Throws where a count differs.
 */
export async function verifyRows(
  session: Session,
  dump: string,
  tables: readonly ExpectedRows[],
  { inTransaction, onTables = () => undefined }: VerifyOptions,
): Promise<string[]> {
  // A policy would hide rows; off means an error instead, and then the table is not countable for this role.
  await session.query('SET row_security = off');
  const found = await findTables(session, tables);
  const counts: (number | undefined)[] = [];
  for (let at = 0; at < found.length; at += AT_ONCE) {
    const group = found.slice(at, at + AT_ONCE);
    const counted = await countTogether(session, group, inTransaction);
    counts.push(...(counted ?? (await countEach(session, group, inTransaction))));
    onTables(counts.length);
  }
  const uncounted: string[] = [];
  for (const [index, { name, expected }] of tables.entries()) {
    const counted = counts[index];
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

/** What stands behind FROM to count each, in the order given; undefined: it cannot be counted. */
async function findTables(
  session: Session,
  tables: readonly ExpectedRows[],
): Promise<(string | undefined)[]> {
  const { rows } = await session.query<{ name: string | null; relkind: string | null }>(
    `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS relkind
       FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS u (wanted, place)
       LEFT JOIN pg_catalog.pg_class c ON c.oid = CASE WHEN wanted ~ '^[0-9]+$' THEN wanted::pg_catalog.oid
                                                       ELSE pg_catalog.to_regclass(wanted)::pg_catalog.oid END
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      ORDER BY place`,
    [tables.map(({ table }) => table)],
  );
  return rows.map(({ name, relkind }) => {
    // COPY into a view goes wherever its trigger says.
    if (relkind !== 'r' && relkind !== 'p') return undefined;
    // Without ONLY, a parent would count the rows of the tables that inherit from it; a partitioned one has none itself.
    return `${relkind === 'r' ? 'ONLY ' : ''}${name}`;
  });
}

/** Undefined where one of them cannot be counted, so that none is. */
async function countTogether(
  session: Session,
  froms: readonly (string | undefined)[],
  inTransaction: boolean,
): Promise<(number | undefined)[] | undefined> {
  const parts = froms.flatMap((from, index) =>
    from === undefined ? [] : [`SELECT ${index} AS place, pg_catalog.count(*) AS rows FROM ${from}`],
  );
  if (parts.length === 0) return froms.map(() => undefined);
  if (inTransaction) await session.query('SAVEPOINT bulkhead');
  try {
    const { rows } = await session.query<{ place: number; rows: string }>(parts.join(' UNION ALL '));
    const counts = new Map(rows.map(({ place, rows: count }) => [place, Number(count)]));
    return froms.map((_, index) => counts.get(index));
  } catch {
    if (inTransaction) await session.query('ROLLBACK TO SAVEPOINT bulkhead');
    return undefined;
  }
}

async function countEach(
  session: Session,
  froms: readonly (string | undefined)[],
  inTransaction: boolean,
): Promise<(number | undefined)[]> {
  const counts: (number | undefined)[] = [];
  for (const from of froms) counts.push((await countTogether(session, [from], inTransaction))?.[0]);
  return counts;
}
