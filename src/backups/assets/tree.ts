/**
 * The tree of an assets backup: one JSON object a line, zstd around it, in the order of a walk. The first line says
 * what it is, the last how much there was, so that a tree that was cut off is none.
 *
 *   {"schema":1,"began":1763690000000,"roots":["/data/assets"]}
 *   {"path":"assets/logos/a.png","type":"file","mode":420,"uid":1001,"gid":1001,"mtime":1763…,"size":812,"sha256":"ab12…",…}
 *   {"files":1,"bytes":812}
 */

import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Failure, messageOf } from '../../base/errors.ts';

export const TREE_FILE = 'tree.jsonl.zst';

interface Common {
  /** The folder's name among the roots, then the path in it. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Milliseconds since 1970, with fractions. */
  readonly mtime: number;
}

export interface FileEntry extends Common {
  readonly type: 'file';
  readonly size: number;
  readonly sha256: string;
  /** With size and mtime these tell the next backup that nothing has changed. */
  readonly ctime: number;
  readonly inode: number;
  /** It changed each time it was read: what was kept may be half old, half new. */
  readonly torn?: true;
}

export type TreeEntry =
  | FileEntry
  | (Common & { readonly type: 'folder' })
  | (Common & { readonly type: 'link'; readonly target: string });

export interface TreeHeader {
  readonly schema: 1;
  /** When the walk began, in ms since 1970. */
  readonly began: number;
  /** Where each root was, by its name in the paths. */
  readonly roots: Readonly<Record<string, string>>;
}

export interface TreeTotals {
  readonly files: number;
  readonly bytes: number;
}

export interface TreeWriter {
  write(entry: TreeEntry): Promise<void>;
  /** Resolves when the file is whole and on its disk. */
  finish(totals: TreeTotals): Promise<void>;
  abandon(): void;
}

/** Lines are handed on by so many characters: the compressor works in its own thread. */
const BATCH = 64 * 1024;

export function openTreeWriter(path: string, header: TreeHeader): TreeWriter {
  const packer = createZstdCompress();
  const file = createWriteStream(path, { flags: 'wx', mode: 0o640, flush: true });
  const done = pipeline(packer, file);
  // Told by whoever awaits the next step.
  done.catch(() => undefined);
  let batch = `${JSON.stringify(header)}\n`;
  const flush = async (): Promise<void> => {
    const text = batch;
    batch = '';
    if (!packer.write(text)) await Promise.race([once(packer, 'drain'), done]);
  };
  return {
    write: async (entry) => {
      batch += `${JSON.stringify(entry)}\n`;
      if (batch.length > BATCH) await flush();
    },
    finish: async (totals) => {
      packer.end(`${batch}${JSON.stringify(totals)}\n`);
      await done;
    },
    abandon: () => packer.destroy(),
  };
}

export interface TreeReader extends AsyncIterable<TreeEntry> {
  readonly header: TreeHeader;
  /** After the last entry. */
  totals(): TreeTotals;
}

/** @throws Failure where it is cut off or damaged, at the latest when the entries come to their end. */
export async function openTree(path: string): Promise<TreeReader> {
  const lines = readLines(path);
  const header = (await next(lines, path)) as TreeHeader | undefined;
  if (header?.schema !== 1) throw damaged(path, 'it does not begin as a tree');
  let totals: TreeTotals | undefined;
  return {
    header,
    totals: () => totals ?? { files: 0, bytes: 0 },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const line = (await next(lines, path)) as TreeEntry | TreeTotals | undefined;
        if (line === undefined) throw damaged(path, 'its end is missing');
        if ('path' in line) {
          yield line;
          continue;
        }
        totals = line;
        return;
      }
    },
  };
}

async function next(lines: AsyncIterator<string>, path: string): Promise<unknown> {
  try {
    const { done, value } = await lines.next();
    return done ? undefined : JSON.parse(value);
  } catch (cause) {
    throw damaged(path, messageOf(cause));
  }
}

async function* readLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const unpacked = createZstdDecompress();
  const moved = pipeline(file, unpacked);
  moved.catch(() => undefined);
  try {
    yield* createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY });
    await moved;
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}

function damaged(path: string, why: string): Failure {
  return new Failure(`cannot read ${path}: it is damaged or cut off (${why})`, { code: 'damaged' });
}

/** The order of a walk: by the parts of the path, so that what is in a folder comes right behind it. */
export function comparePaths(a: string, b: string): number {
  const one = a.replaceAll('/', '\0');
  const other = b.replaceAll('/', '\0');
  return one < other ? -1 : one > other ? 1 : 0;
}
