import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Ownership } from './files.ts';

/**
 * Writes a file so that, whenever the power goes, the path holds the old content or the whole new one, with its mode
 * and owner from the first moment. `mode` is exact, whatever the umask.
 */
export function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  options: { readonly mode?: number; readonly owner?: Ownership | undefined } = {},
): void {
  const { mode = 0o644, owner } = options;
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    // What a process of that pid left behind may be somebody's link.
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      if (owner) fchownSync(fd, owner.uid, owner.gid);
      fchmodSync(fd, mode);
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Makes names made or renamed in a folder last. fsync(2): "an explicit fsync on the directory is also needed". */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
