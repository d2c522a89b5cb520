/**
 * In which order the server sorts text today. The order comes from the C library or ICU of the image, so a new image
 * can change it under the indexes of an old volume, and then they find less than there is.
 */
import type { Session } from './connect.ts';

export interface TextOrder {
  /** Of the canary words in the default order of the maintenance database: sees what has no version (musl, C.UTF-8). */
  readonly canary: string;
  /** What the libraries say of themselves; null: there is none, or it has no version. */
  readonly icu: string | null;
  readonly libc: string | null;
}

/** Beginnings and ends whose order differs between C libraries, their versions, ICU and plain code points. */
const HEADS = [
  ...['a', 'A', 'á', 'ä', 'æ', 'b', 'B', 'c', 'ç', 'ch', 'e', 'é', 'ı', 'i', 'I', 'l', 'll', 'ñ', 'o', 'ö'],
  ...[
    'ø',
    'ß',
    'ss',
    'z',
    'Z',
    'ž',
    'я',
    'ё',
    'ا',
    'あ',
    'ア',
    '中',
    '😀',
    '-',
    '_',
    ' ',
    '1',
    '10',
    '2',
    '٣',
  ],
];
const TAILS = ['', 'a', 'B', '-b', ' c'];
const WORDS = HEADS.flatMap((head) => TAILS.map((tail) => head + tail));

/** Asked of the maintenance database. One query, about a millisecond. */
export async function readTextOrder(session: Session): Promise<TextOrder> {
  const { rows } = await session.query<TextOrder>(
    `SELECT encode(sha256(convert_to(string_agg(w, chr(10) ORDER BY w COLLATE "default", w COLLATE "C"), 'UTF8')), 'hex') AS canary,
            (SELECT pg_collation_actual_version(oid) FROM pg_collation WHERE collprovider = 'i' LIMIT 1) AS icu,
            (SELECT pg_collation_actual_version(oid) FROM pg_collation
              WHERE collprovider = 'c' AND collversion IS NOT NULL LIMIT 1) AS libc
       FROM unnest($1::text[]) w`,
    [WORDS],
  );
  const [order] = rows;
  if (order === undefined) throw new Error('an aggregate gave no row');
  return order;
}

export function isSameOrder(one: TextOrder, other: TextOrder): boolean {
  return one.canary === other.canary && one.icu === other.icu && one.libc === other.libc;
}

export interface DatabaseOrder {
  readonly name: string;
  /** The version its text was sorted by, and the one it would be now; null: it has none. */
  readonly known: string | null;
  readonly actual: string | null;
}

/** Of every database one can connect to. PostgreSQL keeps no version of a database's order before 15. */
export async function readDatabaseOrders(session: Session): Promise<DatabaseOrder[]> {
  const versions = `datcollversion AS known, pg_catalog.pg_database_collation_actual_version(oid) AS actual`;
  const isKept = (await serverVersion(session)) >= 150_000;
  const { rows } = await session.query<DatabaseOrder>(
    `SELECT datname AS name, ${isKept ? versions : 'NULL AS known, NULL AS actual'}
       FROM pg_catalog.pg_database WHERE datallowconn AND datname <> 'template0' ORDER BY datname`,
  );
  return rows;
}

async function serverVersion(session: Session): Promise<number> {
  const { rows } = await session.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  return rows[0]?.version ?? 0;
}
