import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { syncFileSystem } from './libc.ts';

/** So many files are synced one by one; with more, the whole file system is, which then costs less. */
const FEW = 64;

/** Everything below a folder, the folder too, is on the disk afterwards. */
export function syncTree(folder: string): void {
  const paths = [folder];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() || entry.isDirectory()) paths.push(join(entry.parentPath, entry.name));
    if (paths.length > FEW) {
      withFd(folder, syncFileSystem);
      return;
    }
  }
  for (const path of paths) withFd(path, fsyncSync);
}

function withFd(path: string, work: (fd: number) => void): void {
  const fd = openSync(path, 'r');
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}
