/** What a database holds, table by table, as numbers that two databases share only if they hold the same. */
import type { Session } from './connect.ts';

export interface TableFingerprint {
  /** Quoted where needed: `public.tools`. */
  readonly table: string;
  readonly rows: number;
  /** The sum of the rows' hashes, so that their order does not count; decimal. */
  readonly hash: string;
}

/** How values are written as text decides their hash, so every session that takes a fingerprint writes them alike. */
const TEXT_FORM = `
  SET search_path = pg_catalog; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET timezone = 'UTC';
  SET extra_float_digits = 1; SET bytea_output = 'hex'; SET row_security = off; SET xmloption = 'content'`;

/**
 * What `t::text` gives where nobody has defined a cast of his own from the table's type to text, which would be called:
 * code of the table's owner, as whoever reads. The name is one that no column has.
 */
const ROW = '"the row itself"';
const ROW_AS_TEXT = `pg_catalog.textin(pg_catalog.record_out(${ROW}))`;

export const LARGE_OBJECTS = 'large objects';
/** Of a large object, in bytes: a quarter of a block. */
const PAGE = 2048;

/**
 * Reads every row of every ordinary table, partitions among them, and of the large objects; as the superuser, or as a
 * role that may read all of it, in the transaction and snapshot the session is in. Only table rows are read, so no code of the database runs. Views are
 * made anew by a restore, and sequences move outside of snapshots: neither is counted. About 0.3 s per million rows.
 */
export async function fingerprintTables(
  session: Session,
  onTable: (done: number, total: number) => void = () => undefined,
  /** Schemas that do not count. */
  leftOut: readonly string[] = [],
  /** false where the role may not read all of them. */
  withLargeObjects = true,
): Promise<TableFingerprint[]> {
  await session.query(TEXT_FORM);
  const { rows } = await session.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname <> ALL ($1)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
      ORDER BY 1`,
    [leftOut],
  );
  const prints: TableFingerprint[] = [];
  for (const { name } of rows) {
    prints.push(await fingerprint(session, name, `SELECT ${ROW_AS_TEXT} AS line FROM ONLY ${name} ${ROW}`));
    onTable(prints.length, rows.length);
  }
  if (!withLargeObjects) return prints;
  const objects = await fingerprint(session, LARGE_OBJECTS, await largeObjectPages(session));
  return objects.rows > 0 ? [...prints, objects] : prints;
}

/** Only a superuser may read the pages themselves; others get the same ones object by object, at a tenth of the speed. */
async function largeObjectPages(session: Session): Promise<string> {
  const { rows } = await session.query<{ open: boolean }>(
    `SELECT has_table_privilege('pg_catalog.pg_largeobject', 'SELECT') AS open`,
  );
  if (rows[0]?.open === true) {
    return `SELECT loid::text || ':' || pageno::text || ':' || data::text AS line FROM pg_catalog.pg_largeobject`;
  }
  return `WITH RECURSIVE pages AS (
      SELECT oid, 0::bigint AS n, lo_get(oid, 0, ${PAGE}) AS data FROM pg_catalog.pg_largeobject_metadata
      UNION ALL SELECT oid, n + 1, lo_get(oid, (n + 1) * ${PAGE}, ${PAGE}) FROM pages WHERE length(data) = ${PAGE})
    SELECT oid::text || ':' || n::text || ':' || data::text AS line FROM pages WHERE length(data) > 0`;
}

/** Their contents are the superuser's alone, whoever owns them. */
export async function maySeeLargeObjects(session: Session): Promise<boolean> {
  const { rows } = await session.query<{ may: boolean }>(
    `SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT') AS may`,
  );
  return rows[0]?.may === true;
}

async function fingerprint(session: Session, table: string, lines: string): Promise<TableFingerprint> {
  const { rows } = await session.query<{ rows: string; hash: string }>(
    `SELECT count(*) AS rows, coalesce(sum(hashtextextended(line, 0)), 0)::text AS hash FROM (${lines}) l`,
  );
  return { table, rows: Number(rows[0]?.rows), hash: rows[0]?.hash ?? '' };
}

/** What differs, a sentence each; empty where both hold the same. Pure. */
export function compareFingerprints(
  expected: readonly TableFingerprint[],
  found: readonly TableFingerprint[],
): string[] {
  const there = new Map(found.map((print) => [print.table, print]));
  const differences = expected.flatMap(({ table, rows, hash }) => {
    const other = there.get(table);
    there.delete(table);
    if (!other) return [`${table} is missing`];
    if (other.rows !== rows) return [`${table} has ${other.rows} rows instead of ${rows}`];
    return other.hash === hash ? [] : [`${table} has other content in its ${rows} rows`];
  });
  return [...differences, ...[...there.keys()].map((table) => `${table} is not expected`)];
}
