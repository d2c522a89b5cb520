/**
 * Which part of its write-ahead log a server that was not shut down will replay. Files that lie ready for later carry
 * names ahead of what is in them, so each is asked by the address that its pages bear (xlog_internal.h).
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { parseSegment, segmentName } from './segments.ts';

/** Positions in bytes since the beginning of the log. */
export interface RedoRange {
  readonly from: number;
  readonly to: number;
}

/** Of the first page of a file: magic, info, timeline, address, rest, padding, system, size of a segment, of a page. */
const LONG_HEADER = 40;

/** Undefined where the first file of it is not there, or cannot be understood. `redo`: where the last checkpoint began. */
export function findRedoRange(
  cluster: string,
  { redo, timeline }: { readonly redo: bigint; readonly timeline: number },
): RedoRange | undefined {
  const folder = join(cluster, 'pg_wal');
  const size = segmentSize(folder);
  if (size === undefined) return undefined;
  let number = redo / BigInt(size);
  let end: bigint | undefined;
  for (;;) {
    const found = endOf(join(folder, segmentName({ timeline, number }, size)), number * BigInt(size), size);
    if (found === undefined) break;
    end = found;
    if (found < (number + 1n) * BigInt(size)) break;
    number += 1n;
  }
  return end === undefined || end < redo ? undefined : { from: Number(redo), to: Number(end) };
}

function segmentSize(folder: string): number | undefined {
  const any = readdirSync(folder).find((name) => parseSegment(name) !== undefined);
  return any === undefined ? undefined : readHeader(join(folder, any))?.segment;
}

/** Where the written pages of a file end; undefined where it holds nothing of its place. */
function endOf(path: string, start: bigint, size: number): bigint | undefined {
  const header = readHeader(path);
  if (header === undefined || header.address !== start) return undefined;
  const { page } = header;
  const fd = openSync(path, 'r');
  try {
    // Pages are written in order: the last one that bears its own address is found by halving.
    let low = 0;
    let high = size / page - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const bytes = Buffer.alloc(16);
      readSync(fd, bytes, 0, bytes.length, middle * page);
      if (bytes.readBigUInt64LE(8) === start + BigInt(middle * page)) low = middle;
      else high = middle - 1;
    }
    return start + BigInt((low + 1) * page);
  } finally {
    closeSync(fd);
  }
}

function readHeader(
  path: string,
): { readonly address: bigint; readonly segment: number; readonly page: number } | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const bytes = Buffer.alloc(LONG_HEADER);
    if (readSync(fd, bytes, 0, bytes.length, 0) < bytes.length) return undefined;
    const [address, segment, page] = [
      bytes.readBigUInt64LE(8),
      bytes.readUInt32LE(32),
      bytes.readUInt32LE(36),
    ];
    const isPlausible = segment >= 1024 ** 2 && page >= 1024 && segment % page === 0;
    return isPlausible ? { address, segment, page } : undefined;
  } finally {
    closeSync(fd);
  }
}
