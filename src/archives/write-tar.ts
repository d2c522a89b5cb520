/** Writes tar archives as a stream, entry by entry: the program `tar` reads the same. */
import { createTarPacker, type TarHeader } from 'modern-tar';
import { Failure } from '../base/errors.ts';
import type { Bytes } from './age.ts';
import type { TarEntry } from './read-tar.ts';

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
