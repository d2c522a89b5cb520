/** The folder of a private server's socket: a look at it tells whether somebody is behind it. */
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Beginning of its name. */
export const PRIVATE = 'private-';
export const PRIVATE_PORT = 5432;

/** From the folder's making to the lock file of its server. ms */
const STARTING = 30_000;

/** One whose server is about to start counts as in use, too. */
export function isPrivateServerInUse(folder: string): boolean {
  if (!basename(folder).startsWith(PRIVATE)) return false;
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return false;
  const pid = readPid(join(folder, `.s.PGSQL.${PRIVATE_PORT}.lock`));
  return pid === undefined ? Date.now() - stats.mtimeMs < STARTING : existsSync(`/proc/${pid}`);
}

function readPid(lock: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
    return pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
