/** Files that appear whole or not at all: written beside the target, synced, renamed, and the folder synced. */
import { randomBytes } from 'node:crypto';
import { closeSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** `owner` is applied only where we may: as root. */
export function writeDurably(path: string, content: string, mode: number, owner?: FileOwner): void {
  const staged = `${path}.stage-${randomBytes(4).toString('hex')}`;
  const fd = openSync(staged, 'wx', mode);
  try {
    if (owner && process.geteuid?.() === 0) fchownSync(fd, owner.uid, owner.gid);
    writeSync(fd, content);
    fsyncSync(fd);
  } catch (error) {
    rmSync(staged, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  renameSync(staged, path);
  syncFolder(dirname(path));
}

/** Makes renames, creations and removals inside a folder survive a power cut. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
