import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { codeOf, Failure } from '../base/errors.ts';

export interface Ownership {
  readonly uid: number;
  readonly gid: number;
}

export const exists: (path: string) => boolean = existsSync;

/** Undefined: there is no such file, or a part of its path is no folder. */
export function readTextIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** As `readTextIfExists`, and undefined as well where it is closed to us or cannot be read. */
export function readOpenText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Makes a folder and what is missing above it, and gives the folder itself this mode and owner, also where it was
 * there before. A link in its place is refused: its owner may be who put it there.
 */
export function ensureDir(path: string, mode: number, owner?: Ownership): void {
  makeFolders(path, mode);
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) {
    throw new Failure(`cannot use ${path}: it is a symbolic link`, {
      code: 'link',
      remedy: 'put a folder there',
    });
  }
  if (owner && (stats.uid !== owner.uid || stats.gid !== owner.gid)) chownSync(path, owner.uid, owner.gid);
  // mkdir obeys the umask.
  if ((stats.mode & 0o7777) !== mode) chmodSync(path, mode);
}

/**
 * A folder for somebody to write in: made where it is missing, and theirs. What is in it keeps its owner, and one that
 * is theirs already keeps its mode.
 */
export function giveFolder(path: string, owner?: Ownership): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() && (owner === undefined || found.uid === owner.uid)) return;
  ensureDir(path, (found?.mode ?? 0o755) & 0o7777, owner);
}

/**
 * Each missing one once, from above. mkdir's own `recursive` never ends where a folder is there and yet nothing can
 * be made in it because it is "missing", as in /proc.
 */
function makeFolders(path: string, mode: number): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) makeFolder(folder, mode);
  if (missing.length === 0) makeFolder(path, mode);
}

function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Somebody else may have made it in the meantime.
    if (codeOf(error) !== 'EEXIST' || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** The uid a path belongs to (a link: its own); undefined where there is nothing. */
export function ownerOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.uid;
}

/** Whether this is a folder, and no link to one, that we may make files in: asked of the kernel, which also knows read-only mounts. */
export function isWritableDir(path: string): boolean {
  try {
    requireWritableDir(path);
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** As `isWritableDir`, also behind a link. @throws Failure (`no-folder`), or what the kernel says: EROFS, EACCES, ENOENT … */
export function requireWritableDir(path: string): void {
  if (!statSync(path).isDirectory()) throw new Failure('it is no folder', { code: 'no-folder' });
  accessSync(path, constants.W_OK | constants.X_OK);
}

/** Removes a folder and all in it, or a file; nothing there is fine. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Removes a socket file. @throws Failure where something else has that name. */
export function removeSocket(path: string): void {
  if (!lstatSync(path).isSocket()) {
    throw new Failure(`cannot remove ${path}: it is no socket`, { code: 'no-socket' });
  }
  rmSync(path);
}

/** Never what a link points at: its folder is the owner's, who may have put one there. */
export function giveSocket(path: string, owner: Ownership): void {
  const { uid, gid } = lstatSync(path);
  if (uid !== owner.uid || gid !== owner.gid) lchownSync(path, owner.uid, owner.gid);
}

/** Bytes an unprivileged user may still write on the file system of this path. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** Where a symbolic link points, as it is written; undefined where there is none. */
export function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    // EINVAL: something, but no link.
    if (isMissing(error) || codeOf(error) === 'EINVAL') return undefined;
    throw error;
  }
}

/** Points a symbolic link elsewhere; at every moment it is the old or the new one. */
export function replaceLink(path: string, target: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}
