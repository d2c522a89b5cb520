/** Whatever is unfinished lies beside its target under a name of its own, until a rename makes it real. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const STAGE = '.stage-';
/** Of a cluster in which a backup is restored to see that it can be; in use while the lock of the backups is held. */
export const VERIFY_STAGE = `${STAGE}verify-`;

/**
 * Removes what an interrupted boot left behind. Nothing under these names was ever in use; `inUse`: somebody works there
 * right now.
 */
export function sweepStages(folder: string, inUse: (name: string) => boolean = () => false): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(STAGE) && !inUse(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
