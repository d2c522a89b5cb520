/** The end of a stage: every file of it hashed and on the disk. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupFile } from '../protocol/backups.ts';
import { syncFolder } from '../system/write-file-atomic.ts';

export interface Sealed {
  readonly files: readonly BackupFile[];
  /** Folders in which there is nothing, which a copy file by file would lose. */
  readonly emptyFolders: readonly string[];
}

const CHUNK = 1024 * 1024;

/** `onBytes` is told what has been read so far. The folder itself and all below it are durable afterwards. */
export async function sealFolder(
  folder: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Sealed> {
  const files: BackupFile[] = [];
  const emptyFolders: string[] = [];
  let bytes = 0;
  const walk = async (at: string): Promise<void> => {
    const entries = readdirSync(join(folder, at), { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
    if (entries.length === 0 && at !== '') emptyFolders.push(at);
    for (const entry of entries) {
      signal.throwIfAborted();
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) {
        const file = await hashFile(join(folder, path), signal);
        sync(join(folder, path));
        files.push({ path, ...file });
        bytes += file.size;
        onBytes(bytes);
      } else throw new Error(`${join(folder, path)} is neither a file nor a folder`);
    }
    syncFolder(join(folder, at));
  };
  await walk('');
  return { files, emptyFolders };
}

/** Reads it piece by piece: its size counts for nothing in memory. */
export async function hashFile(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly size: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK, signal })) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest('hex') };
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
