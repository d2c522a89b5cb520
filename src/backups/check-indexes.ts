/**
 * Whether the indexes of a database fit its tables, by PostgreSQL's own amcheck. A base backup copies what is damaged as it
 * is, and nobody sees it: rows that an index has lost are there when all are read, and missing when one is looked for.
 */
import { codeOf, messageOf } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { quoteIdentifier } from '../postgres/sql-text.ts';

export interface CheckedIndexes {
  readonly checked: number;
  /** A sentence each, with the index and what is wrong with it. */
  readonly damaged: readonly string[];
}

/** What amcheck says of an index that is not as it should be. */
const CORRUPTED = new Set(['XX001', 'XX002']);

/**
 * Every B-tree, and that it has every row of its table; what is unlogged or invalid counts for nothing. Makes the extension
 * where it is not there: for a scratch cluster alone. Undefined where this PostgreSQL has no amcheck.
 */
export async function checkIndexes(
  session: Session,
  onIndex: (done: number, total: number) => void,
): Promise<CheckedIndexes | undefined> {
  const schema = await findAmcheck(session);
  if (schema === undefined) return undefined;
  const { rows } = await session.query<{ oid: string; name: string }>(
    `SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_am a ON a.oid = c.relam
      WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence = 'p' AND i.indisvalid AND i.indisready
      ORDER BY 2`,
  );
  const check = `SELECT ${quoteIdentifier(schema)}.bt_index_check($1::pg_catalog.oid::pg_catalog.regclass, true)`;
  const damaged: string[] = [];
  let checked = 0;
  for (const [at, { oid, name }] of rows.entries()) {
    try {
      await session.query(check, [oid]);
      checked += 1;
    } catch (error) {
      // An index over a function that fails by now, for instance, says nothing of the data.
      if (session.connection.stream.destroyed) throw error;
      if (CORRUPTED.has(codeOf(error) ?? '')) damaged.push(`${name}: ${messageOf(error)}`);
    }
    onIndex(at + 1, rows.length);
  }
  return { checked, damaged };
}

async function findAmcheck(session: Session): Promise<string | undefined> {
  const find = async (): Promise<string | undefined> => {
    const { rows } = await session.query<{ schema: string }>(
      `SELECT n.nspname AS schema FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'amcheck'`,
    );
    return rows[0]?.schema;
  };
  const there = await find();
  if (there !== undefined) return there;
  const { rows } = await session.query(
    `SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck'`,
  );
  if (rows.length === 0) return undefined;
  await session.query('CREATE EXTENSION amcheck WITH SCHEMA pg_catalog');
  return find();
}
