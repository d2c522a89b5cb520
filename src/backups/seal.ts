/** The end of a stage: every file of it hashed and on the disk. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { BackupFile } from '../protocol/backups.ts';
import { syncFolder } from '../system/write-file-atomic.ts';

export interface Sealed {
  readonly files: readonly BackupFile[];
  /** Folders in which there is nothing, which a copy file by file would lose. */
  readonly emptyFolders: readonly string[];
}

const CHUNK = 256 * 1024;
const SYNCED_AT_ONCE = 16;

/** `onBytes` is told what has been read so far. The folder itself and all below it are durable afterwards. */
export async function sealFolder(
  folder: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Sealed> {
  const files: BackupFile[] = [];
  const emptyFolders: string[] = [];
  const folders: string[] = [];
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
        files.push({ path, ...file });
        bytes += file.size;
        onBytes(bytes);
      } else throw new Error(`${join(folder, path)} is neither a file nor a folder`);
    }
    folders.push(at);
  };
  await walk('');
  await syncFiles(files.map(({ path }) => join(folder, path)));
  for (const at of folders) syncFolder(join(folder, at));
  return { files, emptyFolders };
}

/**
 * Reads it piece by piece: its size counts for nothing in memory. Not as a stream, which for the thousand small files of
 * a cluster costs more than their bytes.
 */
export async function hashFile(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly size: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let size = 0;
    for (;;) {
      const read = readSync(fd, buffer);
      if (read === 0) return { size, sha256: hash.digest('hex') };
      hash.update(buffer.subarray(0, read));
      size += read;
      if (size >= CHUNK) await letOthersRun();
      signal.throwIfAborted();
    }
  } finally {
    closeSync(fd);
  }
}

/** Many at once: the journal takes them together, and a thousand small files take 0.2 s instead of 2 to 3. */
async function syncFiles(paths: readonly string[]): Promise<void> {
  const left = [...paths];
  const lane = async (): Promise<void> => {
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      await using file = await open(path);
      await file.sync();
    }
  };
  await Promise.all(Array.from({ length: SYNCED_AT_ONCE }, lane));
}
