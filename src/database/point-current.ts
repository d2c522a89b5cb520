/** `<pg>/current`: at every moment it points to the old cluster or to the new one. */
import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import type { Layout } from '../postgres/layout.ts';
import { STAGE } from '../postgres/stages.ts';
import { syncFolder } from '../system/write-file-atomic.ts';

export function pointCurrentTo(layout: Layout, major: number): void {
  const target = `${major}/main`;
  const stat = lstatSync(layout.current, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() && readlinkSync(layout.current) === target) return;
  if (stat && !stat.isSymbolicLink()) {
    throw new Failure(`cannot replace ${layout.current}: it is not a symbolic link`, {
      remedy: 'move it away; Bulkhead keeps there a link to the cluster in use',
    });
  }
  const staged = join(layout.pg, `${STAGE}current`);
  rmSync(staged, { force: true });
  symlinkSync(target, staged);
  renameSync(staged, layout.current);
  syncFolder(layout.pg);
}
