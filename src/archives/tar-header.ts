/** One block of 512 bytes that begins an entry of a tar archive, and the records of pax that overrule it. Pure. */

export const BLOCK = 512;

export interface TarHeader {
  readonly path: string;
  /** The letter of the kind, `\0` in archives of before POSIX. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that follow, without what fills the last block. */
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly target: string;
}

/** `path`, `linkpath`, `size`, `mtime`, `uid`, `gid` among others. */
export type PaxRecords = Readonly<Partial<Record<string, string>>>;

/** Throws an Error that says why it is none. */
export function parseHeader(block: Buffer): TarHeader {
  if (readNumber(block, 148, 8) !== checksum(block)) throw new Error('a checksum in it is wrong');
  const magic = block.toString('latin1', 257, 263);
  const prefix = magic === 'ustar\0' ? readText(block.subarray(345, 500)) : '';
  const path = readText(block.subarray(0, 100));
  return {
    path: prefix === '' ? path : `${prefix}/${path}`,
    type: String.fromCharCode(block[156] ?? 0),
    mode: readNumber(block, 100, 8),
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    size: readNumber(block, 124, 12),
    mtime: readNumber(block, 136, 12),
    target: readText(block.subarray(157, 257)),
  };
}

/** `<length> <word>=<value>\n`, the length in bytes and of all of it. Throws an Error where they are not. */
export function parsePax(text: Buffer): PaxRecords {
  const records: Record<string, string> = Object.create(null);
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(0x20, at);
    const length = Number(text.toString('latin1', at, Math.max(at, space)));
    const end = at + length;
    if (
      space < 0 ||
      !Number.isSafeInteger(length) ||
      end > text.length ||
      end <= space ||
      text[end - 1] !== 0x0a
    )
      throw new Error('a record of pax in it cannot be read');
    const equals = text.indexOf(0x3d, space);
    if (equals > space && equals < end) {
      records[text.toString('utf8', space + 1, equals)] = text.toString('utf8', equals + 1, end - 1);
    }
    at = end;
  }
  return records;
}

/** Up to the first zero byte. */
export function readText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Octal digits; where the first bit is set, binary (base 256) as GNU writes what is too large. */
function readNumber(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) !== 0) {
    let value = (block[at] ?? 0) & 0x7f;
    for (let index = 1; index < length; index += 1) value = value * 256 + (block[at + index] ?? 0);
    if (!Number.isSafeInteger(value)) throw new Error('a number in it is too large');
    return value;
  }
  const text = readText(block.subarray(at, at + length)).trim();
  if (!/^[0-7]*$/.test(text)) throw new Error('a number in it is none');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

/** Of all bytes, with spaces where it stands itself. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < BLOCK; index += 1) if (index < 148 || index >= 156) sum += block[index] ?? 0;
  return sum;
}
