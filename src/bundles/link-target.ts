/** Whether a link within an archive leads to something within it. Pure. */
import { posix } from 'node:path';

/** `path` and `root` as in the archive: `assets/a/link`, `assets`. */
export function leadsOut(path: string, target: string, root: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0')) return true;
  const meant = posix.normalize(posix.join(posix.dirname(path), target)).replace(/\/$/, '');
  return meant !== root && !meant.startsWith(`${root}/`);
}
