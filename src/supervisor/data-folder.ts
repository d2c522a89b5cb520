/** The volume of this boot: that it is one, that we may write in it, and that nobody else does. */
import { dirname } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { ensureDir, exists, isWritableDir, ownerOf, requireWritableDir } from '../system/files.ts';
import { readLockHolder, takeLock } from '../system/lock.ts';
import { isOnVolume } from '../system/mounts.ts';

/** Before anything is written: what a forgotten mount would lose never comes to be. */
export function requireVolume(dataDir: string): void {
  if (isOnVolume(dataDir)) return;
  throw new Failure(`cannot start: ${dataDir} is not a volume, and BULKHEAD_REQUIRE_VOLUME is 1`, {
    remedy: `mount one: docker run -v data:${dataDir} …`,
    exitCode: UpExit.cannotStart,
  });
}

/**
 * For the life of the process: a second supervisor on the same volume ends 75 and touches nothing. With a database also
 * in its folder, which may be a mount of its own and then be shared where the rest is not.
 */
export function lockData(dataDir: string, hasDatabase: boolean): void {
  const folders = [`${dataDir}/bulkhead`, ...(hasDatabase ? [`${dataDir}/pg`] : [])];
  for (const folder of folders) {
    let lock: ReturnType<typeof takeLock>;
    try {
      if (exists(dataDir)) requireWritableDir(dataDir);
      // A folder that is there may be a link to a faster disk.
      if (!exists(folder)) ensureDir(folder, folder.endsWith('/pg') ? 0o700 : 0o755);
      lock = takeLock(`${folder}/lock`);
    } catch (cause) {
      throw cannotUse(dataDir, folder, cause);
    }
    if (lock === undefined) throw dataInUse(dataDir, `${folder}/lock`);
  }
}

/** @param lock the file that the other one holds; it tells who that is */
export function dataInUse(dataDir: string, lock: string): Failure {
  const holder = readLockHolder(lock);
  const who = holder === undefined ? '' : ` (pid ${holder} where it runs)`;
  return new Failure(`cannot use the data folder ${dataDir}: another supervisor uses it${who}`, {
    remedy: 'stop that one first, or choose another folder with --data',
    exitCode: UpExit.dataInUse,
  });
}

const CHOOSE = 'or choose another with --data or BULKHEAD_DATA';

function cannotUse(dataDir: string, folder: string, cause: unknown): Failure {
  const { why, remedy } = explain(dataDir, folder, cause);
  return new Failure(`cannot use the data folder ${dataDir}: ${why}`, {
    remedy,
    exitCode: UpExit.cannotStart,
    cause,
  });
}

function explain(
  dataDir: string,
  folder: string,
  cause: unknown,
): { readonly why: string; readonly remedy: string } {
  const uid = process.geteuid?.() ?? 0;
  const code = codeOf(cause);
  if (code === 'EROFS') {
    const what = isWritableDir(`${dataDir}/.`) ? folder : 'it';
    return { why: `${what} is mounted read-only`, remedy: `mount it without :ro, ${CHOOSE}` };
  }
  if (code === 'no-folder' || code === 'ENOTDIR' || code === 'EEXIST') {
    return { why: 'it is no folder', remedy: `put a folder there, ${CHOOSE}` };
  }
  const closed = code === 'EACCES' || code === 'EPERM' ? findClosed(dataDir, folder) : undefined;
  const owner = closed === undefined ? undefined : ownerOf(closed);
  if (closed !== undefined && owner !== undefined && owner !== uid) {
    const what = closed === dataDir ? 'it' : closed;
    // Whoever may enter the folder above without writing there wants a folder of his own, not that one.
    const isAbove = dataDir.startsWith(`${closed}/`) || closed === '/';
    const ours = `${uid}:${process.getegid?.() ?? 0}`;
    return {
      why: `${what} belongs to uid ${owner}, and we are uid ${uid}`,
      remedy: isAbove
        ? `make it as root: mkdir -p ${dataDir} && chown ${ours} ${dataDir}; ${CHOOSE}`
        : `give it to us as root: chown -R ${ours} ${dataDir}; ${CHOOSE}`,
    };
  }
  return { why: messageOf(cause), remedy: `make it writable for uid ${uid}, ${CHOOSE}` };
}

/** Which part of the way is not ours to write: the nearest folder there is, `folder` within, or its lock. */
function findClosed(dataDir: string, folder: string): string {
  // The dot looks behind a link.
  let nearest = dataDir;
  while (!exists(nearest) && nearest !== dirname(nearest)) nearest = dirname(nearest);
  if (nearest !== dataDir || !isWritableDir(`${dataDir}/.`)) return nearest;
  return isWritableDir(folder) && exists(`${folder}/lock`) ? `${folder}/lock` : folder;
}
