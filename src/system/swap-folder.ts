/** Puts one folder in the place of another. */
import { lstatSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exchangeNames } from './libc.ts';
import { syncFolder } from './write-file-atomic.ts';

/** Whether something is mounted there, so that the name can be neither renamed nor taken away. A link is never that. */
export function isMountPoint(folder: string): boolean {
  const here = lstatSync(folder, { throwIfNoEntry: false });
  return here !== undefined && here.dev !== statSync(dirname(folder)).dev;
}

/** Where a folder's successor is made, so that it gets its place by rename: beside it, or inside where it is a mount. */
export function stageFor(folder: string, name: string): string {
  return join(isMountPoint(folder) ? folder : dirname(folder), name);
}

/**
 * `stage`, made where `stageFor` says, becomes `folder`; what was there is `aside` afterwards, which lies beside the
 * stage. One step of the kernel where the file system can exchange names. Nothing at `folder`: nothing is put aside.
 */
export function swapFolder(folder: string, stage: string, aside: string): void {
  const there = lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
  if (there && exchangeNames(stage, folder)) renameSync(stage, aside);
  else {
    if (there) renameSync(folder, aside);
    renameSync(stage, folder);
  }
  syncFolder(dirname(folder));
}
