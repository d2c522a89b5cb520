/** Lays out /data: every folder is made where it is missing, and only what is ours to tighten is tightened. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { JOBS_READY } from '../postgres/jobs-ready.ts';
import { type Layout, VOLUME_FOLDERS } from '../postgres/layout.ts';
import { isPrivateServerInUse } from '../postgres/private-socket.ts';
import type { Identity } from '../system/users.ts';

/** Owned by the database's user, because only the server and its tools, backups among them, work there. */
const SERVER_FOLDERS: ReadonlySet<string> = new Set(['pg', 'wal', 'backups']);
/** Those of them that change their owner with all that is in them; each cluster in `pg` is taken over by itself. */
const WHOLE_FOLDERS: ReadonlySet<string> = new Set(['wal', 'backups']);
const MODES: Readonly<Record<string, number>> = {
  pg: 0o700,
  wal: 0o700,
  secrets: 0o700,
  backups: 0o750,
  logs: 0o750,
};

/** Throws a Failure that names the folder and the uid where the volume cannot be written. */
export function layOutVolume(layout: Layout, user: Identity): void {
  const root = process.geteuid?.() === 0;
  makeFolder(layout.dataDir, 0o755);
  // The image ships /data open to everybody, for the case that we are not root; as root that is not needed.
  if (root && (statSync(layout.dataDir).mode & 0o7777) === 0o1777) chmodSync(layout.dataDir, 0o755);
  for (const name of VOLUME_FOLDERS) {
    const path = join(layout.dataDir, name);
    const made = makeFolder(path, MODES[name] ?? 0o755);
    if (!root || !SERVER_FOLDERS.has(name)) continue;
    if (made) chownSync(path, user.uid, user.gid);
    else if (name === 'backups') moveBackups(path, user);
    else moveOwner(path, user, WHOLE_FOLDERS.has(name));
  }
}

/** Often a disk of its own: one that is read-only, or knows no owners, fails the backups, which is told, and not the boot. */
function moveBackups(folder: string, user: Identity): void {
  try {
    moveOwner(folder, user, true);
  } catch (error) {
    if (!['EROFS', 'EPERM', 'EACCES', 'ENOTSUP'].includes(codeOf(error) ?? '')) throw error;
  }
}

/** What the former owner has in it moves with the folder, last of all; what others have there (root) stays theirs. */
function moveOwner(folder: string, user: Identity, whole: boolean): void {
  const former = statSync(folder).uid;
  if (former === user.uid) return;
  if (whole) {
    for (const path of pathsIn(folder))
      if (lstatSync(path).uid === former) lchownSync(path, user.uid, user.gid);
  }
  chownSync(folder, user.uid, user.gid);
}

/** The socket directory, and in it the one for rendered configuration; emptied with /run, so made at every boot. */
export function layOutRunDir(layout: Layout, user: Identity): void {
  // Whatever an earlier boot left there may belong to another user; the run folder's lock says that nobody uses it, but
  // for what works beside a restart of the database alone: a verification on its private server.
  const stays = (name: string): boolean =>
    name === JOBS_READY || isPrivateServerInUse(join(layout.sockets, name));
  emptyFolder(layout.sockets, stays);
  makeFolder(layout.sockets, 0o755);
  makeFolder(layout.rendered, 0o700);
  if (process.geteuid?.() !== 0) return;
  for (const path of [layout.sockets, layout.rendered]) chownSync(path, user.uid, user.gid);
}

function emptyFolder(folder: string, keep: (name: string) => boolean): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    rmSync(folder, { force: true });
    return;
  }
  for (const name of readdirSync(folder)) {
    if (!keep(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * After a change of uid between two images: PostgreSQL refuses a cluster that is not its own. The folder itself comes
 * last, for its owner says that all of it is done.
 */
export function takeOver(folder: string, user: Identity): boolean {
  if (process.geteuid?.() !== 0 || statSync(folder).uid === user.uid) return false;
  for (const path of pathsIn(folder)) lchownSync(path, user.uid, user.gid);
  lchownSync(folder, user.uid, user.gid);
  return true;
}

/** All that lies in it, what is in a folder before the folder. Links are not followed, which `recursive` would do. */
function* pathsIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* pathsIn(path);
    yield path;
  }
}

/**
 * PostgreSQL refuses a cluster that others may write in or read, which is what a volume's group (Kubernetes' fsGroup)
 * makes of it. True where it had to be closed.
 */
export function closeFolder(folder: string): boolean {
  const { mode, uid } = statSync(folder);
  if ((mode & 0o027) === 0) return false;
  const ours = process.geteuid?.() ?? 0;
  if (ours !== 0 && ours !== uid) return false;
  chmodSync(folder, 0o700);
  return true;
}

/** True where it was not there before. The umask does not count: the mode is the one that was asked for. */
function makeFolder(path: string, mode: number): boolean {
  try {
    const made = mkdirSync(path, { recursive: true, mode });
    if (made === undefined) return false;
    chmodSync(path, mode);
    return true;
  } catch (cause) {
    const uid = process.geteuid?.() ?? 0;
    const denied = ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(cause) ?? '');
    throw new Failure(`cannot make the folder ${path}: ${messageOf(cause)}`, {
      ...(denied && {
        remedy: `make the volume writable for uid ${uid}, e.g. chown -R ${uid} on the folder that is mounted`,
      }),
      cause,
    });
  }
}
