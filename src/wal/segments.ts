/**
 * Positions in the write-ahead log, and the names of the files that hold them: 24 digits, of which the first eight are
 * the timeline and the others the number of the segment. https://www.postgresql.org/docs/current/wal-internals.html
 */

/** Bytes; ours are made so, and a cluster with another size says it by the size of its files. */
export const SEGMENT_SIZE = 16 * 1024 ** 2;

export interface Segment {
  readonly timeline: number;
  readonly number: bigint;
}

/** Of `0/3000138`. Throws an Error where it is none. */
export function parseLsn(text: string): bigint {
  const found = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text);
  if (!found) throw new Error(`"${text}" is no position in the write-ahead log`);
  return (BigInt(`0x${found[1]}`) << 32n) | BigInt(`0x${found[2]}`);
}

export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

/** The number of the segment that holds this position. */
export function segmentAt(lsn: bigint, size = SEGMENT_SIZE): bigint {
  return lsn / BigInt(size);
}

/** Undefined where the name is not that of a whole segment: of a history, a label, a partial one. */
export function parseSegment(name: string, size = SEGMENT_SIZE): Segment | undefined {
  const found = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name);
  if (!found) return undefined;
  const low = BigInt(`0x${found[3]}`);
  if (low >= perFile(size)) return undefined;
  return {
    timeline: Number.parseInt(found[1] ?? '', 16),
    number: BigInt(`0x${found[2]}`) * perFile(size) + low,
  };
}

export function segmentName({ timeline, number }: Segment, size = SEGMENT_SIZE): string {
  return [BigInt(timeline), number / perFile(size), number % perFile(size)].map(eightDigits).join('');
}

/** Segments in what PostgreSQL calls a log file: 4 GB. */
function perFile(size: number): bigint {
  return 0x1_0000_0000n / BigInt(size);
}

function eightDigits(value: bigint): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}
