/** A backup while another folder takes its place under its id. */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../system/write-file-atomic.ts';

/** No stage: for a moment it may be the only one, where the file system cannot exchange two names. */
const REPLACED = '.replaced-';

export function replacedName(id: string): string {
  return `${REPLACED}${id}`;
}

/** Under the lock: what a killed replacement has put aside comes back, or goes where its successor has its place. */
export function settleReplaced(shelf: string): void {
  for (const name of readdirSync(shelf)) {
    if (!name.startsWith(REPLACED)) continue;
    const place = join(shelf, name.slice(REPLACED.length));
    if (existsSync(place)) rmSync(join(shelf, name), { recursive: true, force: true });
    else {
      renameSync(join(shelf, name), place);
      syncFolder(shelf);
    }
  }
}
