/** Before any test: as root the database's programs run as another user, and where he cannot come they hang one by one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Of the user nobody, on Debian and most others. */
const NOBODY = 65_534;
const root = join(import.meta.dirname, '..', '..');

export default function requireOpenFolder(): void {
  if (process.geteuid?.() !== 0) return;
  const { status } = spawnSync('/usr/bin/test', ['-r', join(root, 'package.json')], {
    cwd: '/',
    uid: NOBODY,
    gid: NOBODY,
  });
  if (status === 0) return;
  throw new Error(
    `cannot run the tests as root here: ${root} is closed to other users, and the database runs as one of them\n` +
      'fix: clone to a folder that others may enter (chmod o+x each one above it), or run the tests as another user',
  );
}
