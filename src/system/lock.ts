import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../base/errors.ts';
import { isLockedFile, lockFile } from './libc.ts';

export interface Lock {
  /** Gives the lock back. The death of the process does so too, however it dies. */
  release(): void;
}

/**
 * Takes the lock a file stands for; undefined where another process holds it. The kernel keeps it with our open
 * descriptor, which no child inherits, so it cannot be left behind as a file with a pid can. The file itself stays.
 * It holds our pid, for people only: see `readLockHolder`.
 */
export function takeLock(path: string): Lock | undefined {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  try {
    if (!lockFile(fd)) {
      closeSync(fd);
      return undefined;
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  noteHolder(fd);
  let held = true;
  return {
    release: () => {
      if (held) closeSync(fd);
      held = false;
    },
  };
}

/** The pid the holder wrote into the file; in another container it is a number of that container. */
export function readLockHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

export interface LockView {
  /** What it wrote of itself; in another container it is a number of that container. */
  readonly pid: number | undefined;
  /** When it took the lock, ISO 8601. */
  readonly since: string;
}

/** Who holds the lock of a file, in this container or another; undefined where nobody does, or we may not look. */
export function viewLock(path: string): LockView | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!isLockedFile(fd)) return undefined;
      // Who takes it writes its pid, and nobody writes later.
      return { pid: readLockHolder(path), since: fstatSync(fd).mtime.toISOString() };
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** As takeLock, where root and the owner of the folder take turns: what root has made, that one could not open. */
export function takeLockInTurn(path: string): Lock | undefined {
  if (process.geteuid?.() === 0) {
    const { uid, gid } = statSync(dirname(path));
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
    try {
      const file = fstatSync(fd);
      // Another name of some file of root's, put here by the owner of the folder, must not become his.
      if (!file.isFile() || file.nlink !== 1) {
        throw new Failure(`cannot take the lock ${path}: it is no plain file of one name`, {
          remedy: `look who made it, and remove it: ls -li ${path}`,
        });
      }
      fchownSync(fd, uid, gid);
    } finally {
      closeSync(fd);
    }
  }
  return takeLock(path);
}

function noteHolder(fd: number): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`, 0);
  } catch {
    // A full disk takes nothing from the lock.
  }
}
