/** Whether an archive in tar format has its end: pg_restore waits for ever on one that was cut. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Failure } from '../base/errors.ts';

const BLOCK = 512;

/** Follows the headers alone (POSIX ustar), so that a large one costs no reading. Throws a Failure. */
export function requireWholeTar(path: string): void {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const header = Buffer.alloc(BLOCK);
    let at = 0;
    for (;;) {
      if (at + BLOCK > size || readSync(fd, header, 0, BLOCK, at) < BLOCK) break;
      // A block of zeroes ends the archive.
      if (header[0] === 0) return;
      const length = memberSize(header);
      if (header.toString('latin1', 257, 262) !== 'ustar' || !Number.isSafeInteger(length)) break;
      at += BLOCK + Math.ceil(length / BLOCK) * BLOCK;
    }
  } finally {
    closeSync(fd);
  }
  throw new Failure(`cannot import ${path}: the archive is cut off or damaged: its end is missing`, {
    remedy: 'copy or make the dump again; nothing was changed',
  });
}

/** Octal digits, or where they do not suffice a binary number whose first bit is set. */
function memberSize(header: Buffer): number {
  if (((header[124] ?? 0) & 0x80) === 0)
    return Number.parseInt(header.toString('latin1', 124, 136).replaceAll(/[\0 ]/g, '') || 'x', 8);
  return Number(header.readBigUInt64BE(128));
}
