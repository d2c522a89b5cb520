/** The folder of the sockets of this boot: `/run/bulkhead` where it can be had, else one of this volume's own. */
import { Failure } from '../base/errors.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { hashText, RUN_DIR } from '../protocol/socket-path.ts';
import { ensureDir } from '../system/files.ts';
import { takeLock } from '../system/lock.ts';

/**
 * Takes the first usable folder and its lock, so that two supervisors on one machine never share one. The lock is
 * kept until the process ends. Both paths are short: a socket's address has room for 107 bytes.
 * @param dataDir absolute path of the volume
 * @throws Failure (exit 13; 75 where another supervisor has the volume)
 */
export function takeRunFolder(dataDir: string, uid: number): string {
  const candidates = [RUN_DIR, `/tmp/bulkhead-${uid}-${hashText(dataDir)}`];
  for (const folder of candidates) {
    const outcome = tryTake(folder);
    if (outcome === 'taken') return folder;
    // The second one is named after the volume: only a supervisor of the same one can hold it.
    if (outcome === 'held' && folder !== RUN_DIR) {
      throw new Failure(`cannot use the data folder ${dataDir}: another supervisor uses it`, {
        remedy: 'stop that one first, or choose another folder with --data',
        exitCode: UpExit.dataInUse,
      });
    }
  }
  throw new Failure(`cannot find a folder for sockets: neither ${candidates.join(' nor ')} can be written`, {
    remedy: 'mount a tmpfs on /run or on /tmp',
    exitCode: UpExit.cannotStart,
  });
}

function tryTake(folder: string): 'taken' | 'held' | 'closed' {
  try {
    // Others must be able to pass through: the database's socket lies below.
    ensureDir(folder, 0o755);
    return takeLock(`${folder}/lock`) === undefined ? 'held' : 'taken';
  } catch {
    return 'closed';
  }
}
