/** The folder of the sockets of this boot: `/run/bulkhead` where it can be had, else one of this volume's own. */
import { Failure } from '../base/errors.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { hashText, RUN_DIR } from '../protocol/socket-path.ts';
import { ensureDir, ownerOf } from '../system/files.ts';
import { readLockHolder, takeLock } from '../system/lock.ts';

/**
 * Takes the first usable folder and its lock, so that two supervisors on one machine never share one. The lock is
 * kept until the process ends. Both paths are short: a socket's address has room for 107 bytes.
 * @param dataDir absolute path of the volume
 * @throws Failure (exit 13; 75 where another supervisor has the folder of this very volume)
 */
export function takeRunFolder(dataDir: string, uid: number): string {
  const own = `/tmp/bulkhead-${uid}-${hashText(dataDir)}`;
  const candidates = [RUN_DIR, own];
  for (const folder of candidates) {
    const outcome = tryTake(folder, uid);
    if (outcome === 'taken') return folder;
    if (outcome === 'locked' && folder === own) throw dataInUse(dataDir, `${folder}/lock`);
  }
  throw new Failure(`cannot find a folder for sockets: neither ${candidates.join(' nor ')} can be written`, {
    remedy: 'mount a tmpfs on /run or on /tmp',
    exitCode: UpExit.cannotStart,
  });
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

function tryTake(folder: string, uid: number): 'taken' | 'locked' | 'unusable' {
  try {
    const owner = ownerOf(folder);
    // A stranger's folder under /tmp would put our sockets into his hands; root's is the image's own.
    if (owner !== undefined && owner !== uid && owner !== 0) return 'unusable';
    // Others must be able to pass through: the database's socket lies below.
    if (owner === undefined || owner === uid) ensureDir(folder, 0o755);
    return takeLock(`${folder}/lock`) === undefined ? 'locked' : 'taken';
  } catch {
    return 'unusable';
  }
}
