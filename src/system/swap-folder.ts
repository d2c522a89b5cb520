/** Puts one folder in the place of another. */
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exchangeNames } from './libc.ts';
import { syncFolder } from './write-file-atomic.ts';

/** Whether something is mounted there, so that the name can be neither renamed nor taken away. */
function isMountPoint(folder: string): boolean {
  const here = statSync(folder, { throwIfNoEntry: false });
  return here !== undefined && here.dev !== statSync(dirname(folder)).dev;
}

/** Where a folder's successor is made, so that it gets its place by rename: beside it, or inside where it is a mount. */
export function stageFor(folder: string, name: string): string {
  return join(isMountPoint(folder) ? folder : dirname(folder), name);
}

/**
 * `stage`, made where `stageFor` says, becomes `folder`; what was there is `aside` afterwards, which lies beside the
 * stage. One step of the kernel where the file system can exchange names. A mount point keeps its name: there its
 * entries change places one by one. Nothing at `folder`: nothing is put aside.
 */
export function swapFolder(folder: string, stage: string, aside: string): void {
  if (isMountPoint(folder)) {
    swapEntries(folder, stage, aside);
    return;
  }
  const there = lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
  if (there && exchangeNames(stage, folder)) renameSync(stage, aside);
  else {
    if (there) renameSync(folder, aside);
    renameSync(stage, folder);
  }
  syncFolder(dirname(folder));
}

function swapEntries(folder: string, stage: string, aside: string): void {
  if (!existsSync(aside)) mkdirSync(aside, { mode: 0o700 });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (path === stage || path === aside || name === 'lost+found') continue;
    renameSync(path, join(aside, name));
  }
  for (const name of readdirSync(stage)) renameSync(join(stage, name), join(folder, name));
  rmSync(stage, { recursive: true });
  syncFolder(folder);
}
