/** How the last `backup run` ended: while that is not well, nothing is removed. */
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import type { LastRun } from '../protocol/backups.ts';
import { readTextIfExists } from '../system/files.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';

const FILE = 'last-run.json';

/** Undefined where there was none. One that cannot be read was not well. */
export function readLastRun(root: string): LastRun | undefined {
  const text = readTextIfExists(join(root, FILE));
  if (text === undefined) return undefined;
  try {
    const found: LastRun = JSON.parse(text);
    return found.ok === true ? found : { ...found, ok: false };
  } catch (error) {
    return { at: '', what: '', ok: false, problem: messageOf(error) };
  }
}

/** Written before the work as well, so that a run that was killed counts as what it is. */
export function noteRun(
  root: string,
  what: string,
  outcome: { readonly ok: boolean; readonly problem?: string },
): void {
  const run: LastRun = { at: new Date().toISOString(), what, problem: undefined, ...outcome };
  writeFileAtomic(join(root, FILE), `${JSON.stringify(run)}\n`, { mode: 0o640 });
}
