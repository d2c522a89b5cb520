import { createReadStream, createWriteStream, type Stats } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { Failure } from '../base/errors.ts';
import { compressedName, unfinishedName } from '../base/log-names.ts';
import { syncFolder } from '../system/write-file-atomic.ts';

/**
 * Puts `<file>.gz` in the place of a file nobody writes, with its owner, mode and times. At every moment one of the
 * two is there, and whole; killed anywhere, the next call ends what this one began.
 * @throws Failure, or what the disk says
 */
export async function compressFile(folder: string, file: string, signal: AbortSignal): Promise<void> {
  const source = join(folder, file);
  const target = join(folder, compressedName(file));
  const unfinished = join(folder, unfinishedName(file));
  const stats = await lstat(source).catch(() => undefined);
  // Somebody has moved it since it was listed.
  if (!stats?.isFile()) return;
  if (await lstat(target).catch(() => undefined)) {
    if ((await sizeInside(target, signal)) !== stats.size) {
      throw new Failure(`${compressedName(file)} is there, and is not the same`, {
        remedy: 'look at both, and move one of them away',
      });
    }
    await rm(source);
    return;
  }
  await rm(unfinished, { force: true });
  try {
    await pipeline(
      createReadStream(source, { highWaterMark: CHUNK }),
      createGzip({ chunkSize: CHUNK }),
      createWriteStream(unfinished, { flags: 'wx', mode: 0o600 }),
      { signal },
    );
    await finish(unfinished, stats);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await rename(unfinished, target);
  syncFolder(folder);
  await rm(source);
}

const CHUNK = 256 * 1024;

/** Gives a file the owner, mode and times of another, and makes it last. */
async function finish(path: string, { uid, gid, mode, atime, mtime }: Stats): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const own = await file.stat();
    if (uid !== own.uid || gid !== own.gid) await file.chown(uid, gid);
    await file.chmod(mode & 0o777);
    await file.utimes(atime, mtime);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Bytes of what was compressed; -1 where it is no whole gzip file. */
async function sizeInside(path: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: CHUNK }),
      createGunzip({ chunkSize: CHUNK }),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) bytes += chunk.length;
      },
      { signal },
    );
  } catch {
    signal.throwIfAborted();
    return -1;
  }
  return bytes;
}
