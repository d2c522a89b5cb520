/**
 * Reads tar archives of the forms POSIX ustar and pax, and GNU's long names, as they flow: nothing is queued, so what
 * passes costs no memory, which every reader on npm that was tried takes by the hundred megabytes (pax(1), tar(5)).
 */
import { Failure, messageOf } from '../base/errors.ts';
import type { Bytes } from './age.ts';
import {
  BLOCK,
  isZero,
  type PaxRecords,
  parseHeader,
  parsePax,
  readText,
  type TarHeader,
} from './tar-header.ts';

export interface TarEntry {
  /** Relative, without `.` and `..`. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Date;
  /** Bytes; 0 but for files. */
  readonly size: number;
  /** Of a symlink, as it is written. */
  readonly target?: string | undefined;
}

/** An entry as it is met: its content must be read before the next one, or is passed over. */
export interface TarItem extends TarEntry {
  /** Empty but for files. A chunk is good until the next one is asked for. */
  readonly body: Bytes;
}

/** A name is never longer, nor a set of pax records, in bytes. */
const LARGEST_WORDS = 1024 ** 2;
const KINDS: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '2': 'symlink',
  '5': 'directory',
};
const NAMES: Readonly<Record<string, string>> = {
  '1': 'link',
  '3': 'character-device',
  '4': 'block-device',
  '6': 'fifo',
};

/**
 * The entries in order. @throws Failure (`damaged`) where the archive is cut off or is no tar archive, and at kinds of
 * entries that have no place in an archive of ours: hard links, devices.
 * @param source a chunk of it must be good until the one after the next is asked for
 */
export async function* readTar(source: Bytes, name: string): AsyncGenerator<TarItem> {
  const input = new Input(source, name);
  let words: PaxRecords = {};
  let everywhere: PaxRecords = {};
  try {
    for (;;) {
      const block = await input.take(BLOCK);
      if (isZero(block)) return await input.requireEnd();
      const header = parse(block, name);
      if ('xgLK'.includes(header.type)) {
        if (header.size > LARGEST_WORDS) throw damaged(name, 'a name in it is too long');
        const text = await input.take(header.size);
        await input.skip(padding(header.size));
        if (header.type === 'g') everywhere = { ...everywhere, ...parsePax(text) };
        else if (header.type === 'x') words = { ...words, ...parsePax(text) };
        else words = { ...words, [header.type === 'L' ? 'path' : 'linkpath']: readText(text) };
        continue;
      }
      const { stored, ...entry } = entryOf(header, { ...everywhere, ...words }, name);
      words = {};
      const body = { left: stored };
      yield { ...entry, body: input.body(body) };
      await input.skip(body.left + padding(stored));
    }
  } catch (cause) {
    throw cause instanceof Failure ? cause : damaged(name, messageOf(cause));
  } finally {
    await input.close();
  }
}

/** What flows in, taken in the sizes that are wanted. */
class Input {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly name: string;
  private chunk: Uint8Array = new Uint8Array();

  constructor(source: Bytes, name: string) {
    this.chunks = source[Symbol.asyncIterator]();
    this.name = name;
  }

  /** So many bytes, in memory of their own. */
  async take(size: number): Promise<Buffer> {
    const whole = Buffer.allocUnsafe(size);
    for (let at = 0; at < size; ) {
      const piece = await this.piece(size - at);
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  async skip(size: number): Promise<void> {
    for (let left = size; left > 0; ) left -= (await this.piece(left)).length;
  }

  async *body(body: { left: number }): AsyncGenerator<Uint8Array> {
    while (body.left > 0) {
      const piece = await this.piece(body.left);
      body.left -= piece.length;
      yield piece;
    }
  }

  /** After two blocks of zeros, the first of which was read, nothing may follow but more of them. */
  async requireEnd(): Promise<void> {
    if (!isZero(await this.take(BLOCK))) throw damaged(this.name, 'it has a hole');
    for (let piece = await this.next(); piece !== undefined; piece = await this.next()) {
      if (!isZero(piece)) throw damaged(this.name, 'something follows its end');
    }
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  /** At least one byte and at most so many. */
  private async piece(most: number): Promise<Uint8Array> {
    while (this.chunk.length === 0) {
      const chunk = await this.next();
      if (chunk === undefined) throw damaged(this.name, 'it ends too early');
      this.chunk = chunk;
    }
    const piece = this.chunk.subarray(0, most);
    this.chunk = this.chunk.subarray(piece.length);
    return piece;
  }

  /** What is left of the chunk, then the next one. */
  private async next(): Promise<Uint8Array | undefined> {
    if (this.chunk.length > 0) {
      const rest = this.chunk;
      this.chunk = new Uint8Array();
      return rest;
    }
    try {
      const step = await this.chunks.next();
      return step.done ? undefined : step.value;
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw damaged(this.name, messageOf(cause), cause);
    }
  }
}

function parse(block: Buffer, name: string): TarHeader {
  try {
    return parseHeader(block);
  } catch (cause) {
    throw damaged(name, messageOf(cause), cause);
  }
}

/** `stored`: bytes that lie in the archive for it. */
function entryOf(header: TarHeader, words: PaxRecords, name: string): TarEntry & { readonly stored: number } {
  const path = words.path ?? header.path;
  const stored = words.size === undefined ? header.size : Number(words.size);
  // Before POSIX a folder was told by its slash.
  const kind = path.endsWith('/') && KINDS[header.type] === 'file' ? 'directory' : KINDS[header.type];
  if (kind === undefined) {
    throw new Failure(
      `cannot read ${name}: ${path} in it is a ${NAMES[header.type] ?? 'thing of another kind'}`,
      {
        code: 'damaged',
        remedy: 'only files, folders and symbolic links belong into it',
      },
    );
  }
  if (!Number.isSafeInteger(stored) || stored < 0) throw damaged(name, `${path} has no size`);
  const target = words.linkpath ?? header.target;
  const seconds = words.mtime === undefined ? header.mtime : Number(words.mtime);
  return {
    path: kind === 'directory' ? path.replace(/\/+$/, '') : path,
    kind,
    mode: header.mode & 0o7777,
    uid: Number(words.uid ?? header.uid),
    gid: Number(words.gid ?? header.gid),
    mtime: new Date(seconds * 1000),
    size: kind === 'file' ? stored : 0,
    stored: kind === 'file' ? stored : 0,
    ...(target === '' ? {} : { target }),
  };
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function damaged(name: string, why: string, cause?: unknown): Failure {
  return new Failure(`cannot read ${name}: it is cut off, damaged, or no tar archive (${why})`, {
    code: 'damaged',
    remedy: 'copy it again; its size and hash must be those of the original',
    ...(cause === undefined ? {} : { cause }),
  });
}
