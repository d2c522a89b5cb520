/** Whatever is unfinished lies beside its target under a name of its own, until a rename makes it real. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const STAGE = '.stage-';

/**
 * Removes what an interrupted boot left behind. Nothing under these names was ever in use; `besides`: somebody works in
 * that one right now.
 */
export function sweepStages(folder: string, besides?: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(STAGE) && name !== besides)
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}
