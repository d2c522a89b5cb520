/** tar archives as a stream, entry by entry: the program `tar` reads and writes the same. */
import { createTarDecoder, createTarPacker, type TarHeader } from 'modern-tar';
import { Failure, messageOf } from '../base/errors.ts';
import type { Bytes } from './age.ts';

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

/** An entry as it is met: its content must be read or passed over before the next one. */
export interface TarItem extends TarEntry {
  /** Empty but for files. */
  readonly body: Bytes;
}

/** Resolves when everything was taken by whoever reads `archive`. Bodies must be exactly `size` bytes. */
export interface TarWriter {
  readonly archive: Bytes;
  add(entry: TarEntry, body?: Bytes): Promise<void>;
  finish(): void;
  /** Whoever reads the archive meets this error. */
  fail(error: unknown): void;
}

export function openTarWriter(): TarWriter {
  const { readable, controller } = createTarPacker();
  return {
    archive: readable,
    add: async (entry, body) => {
      const sink = controller.add(headerOf(entry)).getWriter();
      let written = 0;
      for await (const chunk of body ?? []) {
        written += chunk.length;
        await sink.write(chunk);
      }
      if (written !== entry.size) {
        throw new Failure(`cannot archive ${entry.path}: it has ${written} bytes instead of ${entry.size}`);
      }
      await sink.close();
    },
    finish: () => controller.finalize(),
    fail: (error) => controller.error(error),
  };
}

/**
 * The entries in order. @throws Failure (`damaged`) where the archive is cut off or is no tar archive, and at kinds of
 * entries that have no place in an archive of ours: hard links, devices.
 */
export async function* readTar(source: Bytes, name: string): AsyncGenerator<TarItem> {
  const { readable, writable } = createTarDecoder({ strict: true });
  const feeding = feed(source, writable);
  // Told where the entries are read.
  feeding.catch(() => undefined);
  const reader = readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield itemOf(value.header, value.body, name);
    }
    await feeding;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure(
      `cannot read ${name}: it is cut off, damaged, or no tar archive (${messageOf(cause)})`,
      {
        code: 'damaged',
        remedy: 'copy it again; its size and hash must be those of the original',
        cause,
      },
    );
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function feed(source: Bytes, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const chunk of source) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}

function itemOf(header: TarHeader, body: ReadableStream<Uint8Array>, name: string): TarItem {
  const kind = header.type === 'symlink' || header.type === 'directory' ? header.type : 'file';
  if (header.type !== undefined && header.type !== kind) {
    throw new Failure(`cannot read ${name}: ${header.name} in it is a ${header.type}`, {
      code: 'damaged',
      remedy: 'only files, folders and symbolic links belong into it',
    });
  }
  return {
    path: kind === 'directory' ? header.name.replace(/\/+$/, '') : header.name,
    kind,
    mode: (header.mode ?? 0o644) & 0o7777,
    uid: header.uid ?? 0,
    gid: header.gid ?? 0,
    mtime: header.mtime ?? new Date(0),
    size: kind === 'file' ? header.size : 0,
    ...(header.linkname === undefined || header.linkname === '' ? {} : { target: header.linkname }),
    body: bodyOf(body, name),
  };
}

async function* bodyOf(body: Bytes, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

function unreadable(name: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  return new Failure(`cannot read ${name}: it is cut off, damaged, or no tar archive (${messageOf(cause)})`, {
    code: 'damaged',
    remedy: 'copy it again; its size and hash must be those of the original',
    cause,
  });
}

function headerOf(entry: TarEntry): TarHeader {
  return {
    name: entry.kind === 'directory' ? `${entry.path}/` : entry.path,
    type: entry.kind,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime,
    size: entry.kind === 'file' ? entry.size : 0,
    ...(entry.target === undefined ? {} : { linkname: entry.target }),
  };
}
