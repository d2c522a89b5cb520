/** The folder of the sockets of this boot: `/run/bulkhead` where it can be had, else one of this volume's own. */
import { Failure } from '../base/errors.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { hashText, RUN_DIR } from '../protocol/socket-path.ts';
import { ensureDir, ownerOf } from '../system/files.ts';
import { takeLock } from '../system/lock.ts';

/**
 * Takes the first usable folder and its lock, so that two supervisors on one machine never share one. The lock is
 * kept until the process ends. Both paths are short: a socket's address has room for 107 bytes.
 * @param dataDir absolute path of the volume
 * @throws Failure (exit 13)
 */
export function takeRunFolder(dataDir: string, uid: number): string {
  const candidates = [RUN_DIR, `/tmp/bulkhead-${uid}-${hashText(dataDir)}`];
  const taken = candidates.find((folder) => tryTake(folder, uid));
  if (taken !== undefined) return taken;
  throw new Failure(`cannot find a folder for sockets: neither ${candidates.join(' nor ')} can be written`, {
    remedy: 'mount a tmpfs on /run or on /tmp',
    exitCode: UpExit.cannotStart,
  });
}

function tryTake(folder: string, uid: number): boolean {
  try {
    const owner = ownerOf(folder);
    // A stranger's folder under /tmp would put our sockets into his hands; root's is the image's own.
    if (owner !== undefined && owner !== uid && owner !== 0) return false;
    // Others must be able to pass through: the database's socket lies below.
    if (owner === undefined || owner === uid) ensureDir(folder, 0o755);
    return takeLock(`${folder}/lock`) !== undefined;
  } catch {
    return false;
  }
}
