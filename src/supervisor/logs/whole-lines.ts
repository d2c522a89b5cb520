import { isAscii } from 'node:buffer';

/** A run is small enough that the strings made of it stay in the processor's cache. */
const LONGEST_RUN = 32 * 1024;
/** Fewer bytes are not worth a look at the whole. */
const SHORTEST_RUN = 2 * 1024;
const NEWLINE = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const DELETE = 0x7f;
/** The highest bit of each of four bytes. */
const HIGHEST_BITS = 0x80808080 | 0;
const FOUR_SPACES = 0x20202020;

/**
 * Cuts a chunk that begins with a line into runs of whole lines, none longer than 32 KiB. Calls `onRun` with where
 * each begins and ends, behind its last newline. Returns where the first byte is that belongs to no run: the chunk's
 * end, the unfinished line there, or a line too long for a run.
 */
export function runsOf(chunk: Buffer, from: number, onRun: (start: number, end: number) => void): number {
  let start = from;
  while (chunk.length - start >= SHORTEST_RUN) {
    const end = chunk.lastIndexOf(NEWLINE, Math.min(chunk.length, start + LONGEST_RUN) - 1) + 1;
    if (end <= start) break;
    onRun(start, end);
    start = end;
  }
  return start;
}

/** Whether nothing but printable ASCII, tabs and newlines is there: what a terminal may be shown as it is. */
export function isPrintableAscii(bytes: Buffer): boolean {
  if (!isAscii(bytes) || bytes.includes(DELETE)) return false;
  // Four bytes at a time: below 0x80, only one below a space borrows a highest bit when spaces are taken away.
  const words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
  const first = (bytes.byteOffset + 3) >> 2;
  const last = (bytes.byteOffset + bytes.length) >> 2;
  for (let at = first; at < last; at += 1) {
    const word = words[at] as number;
    if (((word - FOUR_SPACES) & HIGHEST_BITS) === 0) continue;
    for (let shift = 0; shift < 32; shift += 8) if (isControl((word >>> shift) & 0xff)) return false;
  }
  for (let at = 0; at < Math.min(bytes.length, first * 4 - bytes.byteOffset); at += 1) {
    if (isControl(bytes[at] as number)) return false;
  }
  for (let at = Math.max(0, last * 4 - bytes.byteOffset); at < bytes.length; at += 1) {
    if (isControl(bytes[at] as number)) return false;
  }
  return true;
}

function isControl(byte: number): boolean {
  return byte < SPACE && byte !== NEWLINE && byte !== TAB;
}
