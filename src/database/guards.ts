/** What refuses a volume before anything on it is touched. Each says what was found and what to do about it. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { listMajors } from '../postgres/find-cluster.ts';
import { findFormerData } from '../postgres/former-data.ts';
import type { Layout } from '../postgres/layout.ts';
import { freeBytes } from '../system/files.ts';
import type { Identity } from '../system/users.ts';

const MB = 1024 ** 2;
/** An empty cluster takes 40 MB, its WAL soon 80, and the application wants to begin. */
const ROOM_FOR_A_CLUSTER = 256 * MB;
/** Below this a person should know. */
const ROOM_TO_SPARE = 1024 * MB;
/** Must be written, whatever is mounted there; `import` and `config` may well be read-only. */
const WRITTEN_FOLDERS = ['pg', 'wal', 'secrets', 'bulkhead', 'logs'] as const;

/** A folder that is a mount of its own may be read-only where /data is not. */
export function refuseReadOnly({ dataDir }: Layout): void {
  for (const folder of [dataDir, ...WRITTEN_FOLDERS.map((name) => join(dataDir, name))]) {
    if (!isReadOnly(folder)) continue;
    throw new Failure(`cannot use ${folder}: it is mounted read-only`, {
      remedy: 'mount it without :ro; only import, config and backups may be read-only',
    });
  }
}

/** Only root can give a cluster to another user. */
export function refuseStrangers(layout: Layout, user: Identity): void {
  if (process.geteuid?.() === 0) return;
  for (const folder of [layout.pg, ...clusterFolders(layout)]) {
    const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
    if (owner === undefined || owner === user.uid) continue;
    // Whoever made the mount may own its root; what counts is that we may work in it.
    if (folder === layout.pg && isUsable(folder)) continue;
    throw new Failure(`cannot use ${folder}: it belongs to uid ${owner}, and we are uid ${user.uid}`, {
      remedy: `start the container as that user (--user ${owner}), or once as root: it gives the cluster to its own user`,
    });
  }
}

/** An emptied or wrongly mounted volume must not look like a new one. */
export function refuseWhereDataWas(layout: Layout): void {
  const [first, ...others] = findFormerData(layout);
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `; also, ${others.map(({ fact }) => fact).join('; ')}`;
  throw new Failure(`cannot create a cluster: ${first.fact}${more}`, { remedy: first.remedy });
}

/** A cluster that is there is started with whatever room is left: that may be the only way to make some. */
export function refuseWithoutRoom(layout: Layout, hasCluster: boolean, note: (text: string) => void): void {
  const free = freeBytes(layout.pg);
  if (!hasCluster && free < ROOM_FOR_A_CLUSTER) {
    throw new Failure(
      `cannot create a cluster: ${layout.pg} has ${formatSize(free)} of free space, and a new one needs ${formatSize(ROOM_FOR_A_CLUSTER)}`,
      { remedy: 'free some space, or use a larger volume' },
    );
  }
  if (free < ROOM_TO_SPARE) note(`${layout.pg} has only ${formatSize(free)} of free space left`);
}

function clusterFolders(layout: Layout): string[] {
  return isUsable(layout.pg) ? listMajors(layout).map((major) => join(layout.pg, major, 'main')) : [];
}

function isUsable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isReadOnly(folder: string): boolean {
  if (!existsSync(folder)) return false;
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return codeOf(error) === 'EROFS';
  }
}
