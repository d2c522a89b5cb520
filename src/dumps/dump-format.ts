/** What a dump is, told by its content and never by its name. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The first member of a bundle, see bundles/bundle-format.ts. */
export const BUNDLE_MARKER = 'bulkhead-bundle.json';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

export type DumpFormat =
  | { readonly kind: 'sql'; readonly compression: Compression }
  /** `version`: of the format, told by the header of a custom archive. */
  | {
      readonly kind: 'archive';
      readonly shape: 'custom' | 'directory' | 'tar';
      readonly version: string | undefined;
    }
  /** Recognised, but nothing we can read; `what` names it. */
  | { readonly kind: 'unreadable'; readonly what: string }
  /** A folder without a dump in it, an empty file. */
  | { readonly kind: 'nothing' };

/** Reads the first bytes only. Throws where the file cannot be opened. */
export function detectFormat(path: string): DumpFormat {
  if (statSync(path).isDirectory()) {
    const toc = ['toc.dat', 'toc.dat.gz', 'toc.dat.zst', 'toc.dat.lz4'].find((name) =>
      existsSync(join(path, name)),
    );
    if (toc === undefined) return { kind: 'nothing' };
    const version = toc === 'toc.dat' ? archiveVersion(readHead(join(path, toc))) : undefined;
    return { kind: 'archive', shape: 'directory', version };
  }
  const head = readHead(path);
  if (head.length === 0) return { kind: 'nothing' };
  const packed = COMPRESSIONS.find(([, ...magic]) => startsWith(head, ...magic));
  if (packed) return { kind: 'sql', compression: packed[0] };
  if (head.toString('latin1', 0, 5) === 'PGDMP') {
    return { kind: 'archive', shape: 'custom', version: archiveVersion(head) };
  }
  if (
    head.toString('latin1', 257, 262) === 'ustar' &&
    /^(\.\/)?toc\.dat\0/.test(head.toString('latin1', 0, 100))
  ) {
    // The first member follows its header of 512 bytes.
    return { kind: 'archive', shape: 'tar', version: archiveVersion(head.subarray(512)) };
  }
  const other = OTHERS.find(([, ...magic]) => startsWith(head, ...magic));
  if (other) return { kind: 'unreadable', what: other[0] };
  if (isBundleHead(head))
    return { kind: 'unreadable', what: 'a bundle, which only the first start of an empty volume takes' };
  if (head.toString('latin1', 257, 262) === 'ustar')
    return { kind: 'unreadable', what: 'a tar archive that pg_dump did not make' };
  if (head.includes(0)) return { kind: 'unreadable', what: 'a binary file that is no dump of PostgreSQL' };
  return { kind: 'sql', compression: 'none' };
}

/** Whether the file begins as a bundle does. Throws where it cannot be opened. */
export function isBundle(path: string): boolean {
  return !statSync(path).isDirectory() && isBundleHead(readHead(path));
}

function isBundleHead(head: Buffer): boolean {
  return (
    head.toString('latin1', 257, 262) === 'ustar' &&
    head.toString('latin1', 0, BUNDLE_MARKER.length + 1) === `${BUNDLE_MARKER}\0`
  );
}

/** For people and the ledger: `plain SQL, gzip`, `custom archive 1.14`. */
export function nameFormat(format: DumpFormat): string {
  if (format.kind === 'sql')
    return format.compression === 'none' ? 'plain SQL' : `plain SQL, ${format.compression}`;
  if (format.kind === 'archive')
    return `${format.shape} archive${format.version === undefined ? '' : ` ${format.version}`}`;
  return format.kind === 'unreadable' ? format.what : 'nothing';
}

const COMPRESSIONS: readonly (readonly [Compression, ...number[]])[] = [
  ['gzip', 0x1f, 0x8b],
  ['zstd', 0x28, 0xb5, 0x2f, 0xfd],
  ['xz', 0xfd, 0x37, 0x7a, 0x58, 0x5a],
  ['bzip2', 0x42, 0x5a, 0x68],
];

const OTHERS: readonly (readonly [string, ...number[]])[] = [
  ['compressed by lz4; decompress it, or use gzip or zstd', 0x04, 0x22, 0x4d, 0x18],
  ['a zip archive; unpack it', 0x50, 0x4b, 0x03, 0x04],
  ['an SQLite database', 0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20],
];

/** Of a custom archive by its first bytes; undefined: it is none. Bytes 5 to 7: major, minor, revision (pg_backup_archiver.h). */
export function archiveVersion(head: Buffer): string | undefined {
  return head.length < 8 || head.toString('latin1', 0, 5) !== 'PGDMP' ? undefined : `${head[5]}.${head[6]}`;
}

function startsWith(head: Buffer, ...magic: number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

function readHead(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(4096);
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}
