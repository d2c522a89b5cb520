/** What a database holds, table by table, as numbers that two databases share only if they hold the same. */
import { Failure } from '../base/errors.ts';
import type { Session } from './connect.ts';
import { type Column, rowHash } from './row-hash.ts';

export interface TableFingerprint {
  /** Quoted where needed: `public.tools`. */
  readonly table: string;
  readonly rows: number;
  /** The sum of the rows' hashes, so that their order does not count: `2:` and a decimal; of the first form without `2:`. */
  readonly hash: string;
}

export interface FingerprintOptions {
  readonly onTable?: (done: number, total: number) => void;
  /** Schemas that do not count. */
  readonly leftOut?: readonly string[];
  /** false where the role may not read all of them. */
  readonly withLargeObjects?: boolean;
  /** What they will be compared with: they are taken in its form. Undefined: in the newest. */
  readonly like?: readonly TableFingerprint[];
}

/**
 * How rows become numbers. 1: each as text, hashed. 2: each column by what it stores (row-hash.ts). What is kept says in
 * which it was taken, so that backups and bundles of older builds are still compared.
 */
type Form = 1 | 2;

/** How values are written as text decides their hash, so every session that takes a fingerprint writes them alike. */
const TEXT_FORM = `
  SET search_path = pg_catalog; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET timezone = 'UTC';
  SET extra_float_digits = 1; SET bytea_output = 'hex'; SET row_security = off; SET xmloption = 'content'; SET jit = off`;

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
 * made anew by a restore, and sequences move outside of snapshots: neither is counted. About 0.15 s per million rows.
 */
export async function fingerprintTables(
  session: Session,
  { onTable = () => undefined, leftOut = [], withLargeObjects = true, like = [] }: FingerprintOptions = {},
): Promise<TableFingerprint[]> {
  const form = formOf(like);
  await session.query(TEXT_FORM);
  const tables = await readTables(session, leftOut);
  const prints: TableFingerprint[] = [];
  for (const { name, columns } of tables) {
    const hash = form === 1 ? `hashtextextended(${ROW_AS_TEXT}, 0)` : rowHash(columns, ROW);
    prints.push(await fingerprint(session, form, name, `SELECT ${hash} AS hash FROM ONLY ${name} ${ROW}`));
    onTable(prints.length, tables.length);
  }
  if (!withLargeObjects) return prints;
  const objects = await fingerprint(session, form, LARGE_OBJECTS, await largeObjectPages(session, form));
  return objects.rows > 0 ? [...prints, objects] : prints;
}

/** What every build of Bulkhead can compare. */
export function isOfFirstForm(hash: string): boolean {
  return !hash.includes(':');
}

/** Throws a Failure where they are of a form that a newer build has made. */
function formOf(prints: readonly TableFingerprint[]): Form {
  const [first] = prints;
  if (first === undefined || first.hash.startsWith('2:')) return 2;
  const form = /^(\d+):/.exec(first.hash)?.[1];
  if (form === undefined) return 1;
  throw new Failure(`cannot compare fingerprints of form ${form}: this version of Bulkhead knows 1 and 2`, {
    remedy: 'use the version that made them, or a newer one',
  });
}

interface Table {
  /** Quoted where needed. */
  readonly name: string;
  readonly columns: readonly Column[];
}

/** Without what is computed when it is read: nothing of it is stored or dumped, and it may fail. Before 12 no column was generated. */
async function readTables(session: Session, leftOut: readonly string[]): Promise<readonly Table[]> {
  const { rows } = await session.query<Table>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
            coalesce((SELECT json_agg(json_build_object('name', a.attname, 'isSized', a.atttypmod > 0,
                'type', CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname::text ELSE '' END))
               FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND to_jsonb(a) ->> 'attgenerated' IS DISTINCT FROM 'v'), '[]') AS columns
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname <> ALL ($1)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
      ORDER BY 1`,
    [leftOut],
  );
  return rows;
}

/** Only a superuser may read the pages themselves; others get the same ones object by object, at a tenth of the speed. */
async function largeObjectPages(session: Session, form: Form): Promise<string> {
  const hash = (id: string, page: string, data: string): string =>
    form === 1
      ? `hashtextextended(${id}::text || ':' || ${page}::text || ':' || ${data}::text, 0)`
      : `hashint4extended(${page}::int4, hashoidextended(${id}, hash_array_extended(ARRAY[${data}], 1)))`;
  if (await maySeeLargeObjects(session)) {
    return `SELECT ${hash('loid', 'pageno', 'data')} AS hash FROM pg_catalog.pg_largeobject`;
  }
  return `WITH RECURSIVE pages AS (
      SELECT oid, 0::bigint AS n, lo_get(oid, 0, ${PAGE}) AS data FROM pg_catalog.pg_largeobject_metadata
      UNION ALL SELECT oid, n + 1, lo_get(oid, (n + 1) * ${PAGE}, ${PAGE}) FROM pages WHERE length(data) = ${PAGE})
    SELECT ${hash('oid', 'n', 'data')} AS hash FROM pages WHERE length(data) > 0`;
}

/** Their contents are the superuser's alone, whoever owns them. */
export async function maySeeLargeObjects(session: Session): Promise<boolean> {
  const { rows } = await session.query<{ may: boolean }>(
    `SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT') AS may`,
  );
  return rows[0]?.may === true;
}

async function fingerprint(
  session: Session,
  form: Form,
  table: string,
  hashes: string,
): Promise<TableFingerprint> {
  const { rows } = await session.query<{ rows: string; hash: string }>(
    `SELECT count(*) AS rows, coalesce(sum(hash), 0)::text AS hash FROM (${hashes}) l`,
  );
  const hash = rows[0]?.hash ?? '';
  return { table, rows: Number(rows[0]?.rows), hash: form === 1 ? hash : `${form}:${hash}` };
}

/**
 * What differs, a sentence each; empty where both hold the same. Pure. A name may be quoted on one side alone: quote_ident
 * quotes the words of its own version's SQL, and `json` is one since 16.
 */
export function compareFingerprints(
  expected: readonly TableFingerprint[],
  found: readonly TableFingerprint[],
): string[] {
  const there = new Map(found.map((print) => [plainName(print.table), print]));
  const differences = expected.flatMap(({ table, rows, hash }) => {
    const other = there.get(plainName(table));
    there.delete(plainName(table));
    if (!other) return [`${table} is missing`];
    if (other.rows !== rows) return [`${table} has ${other.rows} rows instead of ${rows}`];
    return other.hash === hash ? [] : [`${table} has other content in its ${rows} rows`];
  });
  return [...differences, ...[...there.values()].map(({ table }) => `${table} is not expected`)];
}

/** Without the quotes that no name needs but a word of SQL. */
function plainName(table: string): string {
  return table.replace(/"((?:[^"]|"")*)"/g, (quoted, name) =>
    /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoted,
  );
}
