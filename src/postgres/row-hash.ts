/**
 * A row as one number, in SQL that costs little: a fingerprint reads the whole database beside its dump, on the same
 * processors. Written as text and hashed, a row costs three times as much, most of it for quoting each character.
 *
 * Every column is hashed by what its type stores, each with a seed of its own; what they give is put together by XOR,
 * where the seeds tell equal values of two columns apart, and that number is hashed once more, so that two rows that swap
 * a value do not add up to the same. All of it are built-in functions that are there since 11 and give the same in each
 * version: those an operator class of a type would call are not asked, because they may call two values equal (1.0 and
 * 1.00) that are not the same. What has no such function (numeric, json, arrays, domains, types of extensions …) is
 * written as text, all of a row at once. 64 bits of each value count; of a timestamp, 32.
 */

export interface Column {
  /** As the catalogue has it, and never quoted: which names need it differs from version to version, and decides nothing here. */
  readonly name: string;
  /** In pg_catalog; '' of any other schema. */
  readonly type: string;
  /** Whether its length stands in its type: then blanks at its end are only what fills it up. */
  readonly isSized: boolean;
}

type Hash = (value: string, seed: number) => string;

const HASHES: Readonly<Record<string, Hash>> = {
  int2: (value, seed) => `hashint2extended(${value}, ${seed})`,
  int4: (value, seed) => `hashint4extended(${value}, ${seed})`,
  oid: (value, seed) => `hashoidextended(${value}, ${seed})`,
  // hashint8extended folds it to 32 bits first; as a seed all of it counts. What takes the value's place is no number that a
  // column holds: else it would be the hash of an int4 whose seed is the value, and the two would cancel each other.
  int8: (value, seed) => `hashint4extended(${farFrom(seed)}, ${value})`,
  bool: (value, seed) => `hashint4extended(${value}::int4, ${seed})`,
  text: bytesOf('hashtextextended'),
  varchar: bytesOf('hashtextextended'),
  bpchar: bytesOf('hashbpcharextended'),
  uuid: (value, seed) => `uuid_hash_extended(${value}, ${seed})`,
  // No function takes bytes themselves.
  bytea: (value, seed) => `hash_array_extended(ARRAY[${value}], ${seed})`,
  timestamp: (value, seed) => `timestamp_hash_extended(${value}, ${seed})`,
  timestamptz: (value, seed) => `timestamp_hash_extended(${value}::timestamp, ${seed})`,
};

/** Where more columns than these have a hash, the others are text: an expression has no end otherwise. */
const MOST = 100;

/** Of each seed another number of 31 bits that looks like chance: by the golden ratio. */
function farFrom(seed: number): number {
  return (Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995) >>> 1;
}

/** Under "C" all bytes count; a collation may call different texts equal. */
function bytesOf(hash: string): Hash {
  return (value, seed) => `${hash}(${value} COLLATE pg_catalog."C", ${seed})`;
}

/**
 * An expression of type bigint, never NULL, for a session whose search path is pg_catalog and that writes text in the
 * form of fingerprints. Pure. The order of columns does not count: a restore may give those of a child table another one.
 * @param row the name by which the row is called, quoted
 */
export function rowHash(columns: readonly Column[], row: string): string {
  const sorted = [...columns].sort((a, b) => (a.name < b.name ? -1 : 1));
  const hashed: string[] = [];
  const written: string[] = [];
  for (const column of sorted) {
    const hash = hashOf(column);
    const value = `${row}."${column.name.replaceAll('"', '""')}"`;
    if (hash === undefined || hashed.length === MOST) written.push(value);
    else {
      const seed = hashed.length + 1;
      hashed.push(`coalesce(${hash(value, seed)}, ${-seed})`);
    }
  }
  // A row of nothing but NULL is no NULL.
  if (written.length > 0)
    hashed.push(`hashtextextended(textin(record_out(ROW(${written.join(', ')}))) COLLATE pg_catalog."C", 0)`);
  return `hashint4extended(0, ${hashed.length === 0 ? '0' : hashed.join(' # ')})`;
}

function hashOf({ type, isSized }: Column): Hash | undefined {
  return type === 'bpchar' && !isSized ? undefined : HASHES[type];
}
