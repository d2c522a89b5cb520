/** The folder of the sockets of this boot: `/run/bulkhead` where it can be had, else one of this volume's own. */
import { Failure } from '../base/errors.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { hashText, RUN_DIR } from '../protocol/socket-path.ts';
import { ensureDir, exists, ownerOf, removeTree } from '../system/files.ts';
import { type Lock, takeLock } from '../system/lock.ts';
import { dataInUse } from './data-folder.ts';

export interface RunFolder {
  readonly path: string;
  /** When nothing lives in it any more: what we made for this volume alone goes, `/run/bulkhead` stays. */
  leave(): void;
}

/**
 * Takes the first usable folder and its lock, so that two supervisors on one machine never share one. The lock is
 * kept until `leave`, or the process ends. Both paths are short: a socket's address has room for 107 bytes.
 * @param dataDir absolute path of the volume
 * @throws Failure (exit 13; 75 where another supervisor has the folder of this very volume)
 */
export function takeRunFolder(dataDir: string, uid: number): RunFolder {
  const own = `/tmp/bulkhead-${uid}-${hashText(dataDir)}`;
  const candidates = [RUN_DIR, own];
  for (const path of candidates) {
    const lock = tryTake(path, uid);
    if (typeof lock === 'object') return { path, leave: () => leave(path, path === own, lock) };
    if (lock === 'locked' && path === own) throw dataInUse(dataDir, `${path}/lock`);
  }
  throw new Failure(`cannot find a folder for sockets: neither ${candidates.join(' nor ')} can be written`, {
    remedy: 'mount a tmpfs on /run or on /tmp',
    exitCode: UpExit.cannotStart,
  });
}

/** The lock last: whoever waits for it finds the folder gone and makes his own. */
function leave(path: string, isOurs: boolean, lock: Lock): void {
  try {
    if (isOurs) removeTree(path);
  } catch {
    // What other users left in it is theirs; under /tmp it goes with the next boot of the machine.
  } finally {
    lock.release();
  }
}

function tryTake(folder: string, uid: number): Lock | 'locked' | 'unusable' {
  try {
    const owner = ownerOf(folder);
    // A stranger's folder under /tmp would put our sockets into his hands; root's is the image's own.
    if (owner !== undefined && owner !== uid && owner !== 0) return 'unusable';
    // What a boot as another user left in it could neither be used nor removed.
    const left = ownerOf(`${folder}/pg`);
    if (left !== undefined && left !== uid && uid !== 0) return 'unusable';
    // Others must be able to pass through: the database's socket lies below.
    if (owner === undefined || owner === uid) ensureDir(folder, 0o755);
    const lock = takeLock(`${folder}/lock`);
    if (lock === undefined) return 'locked';
    if (exists(`${folder}/lock`)) return lock;
    // Its last owner removed the folder between our look at the file and our lock of it.
    lock.release();
    return tryTake(folder, uid);
  } catch {
    return 'unusable';
  }
}
