/** A passwd entry for a uid that has none (`--user 10001`), for tools that insist on one. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../system/users.ts';
import { canUsePeer } from './system-user.ts';

/** What stands in the environment of such a tool; empty where it is not needed, or the library is not there. */
export function nameOurselves(user: Identity, folder: string): Record<string, string> {
  if (canUsePeer(user)) return {};
  const library = findNssWrapper();
  if (library === undefined) return {};
  const passwd = join(folder, 'passwd');
  const group = join(folder, 'group');
  writeFileSync(passwd, `postgres:x:${user.uid}:${user.gid}:PostgreSQL:${folder}:/bin/false\n`);
  writeFileSync(group, `postgres:x:${user.gid}:\n`);
  return { LD_PRELOAD: library, NSS_WRAPPER_PASSWD: passwd, NSS_WRAPPER_GROUP: group };
}

function findNssWrapper(): string | undefined {
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib'];
  const multiarch = existsSync('/usr/lib')
    ? readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'))
    : [];
  return [...folders, ...multiarch.map((name) => `/usr/lib/${name}`)]
    .map((folder) => join(folder, 'libnss_wrapper.so'))
    .find((path) => existsSync(path));
}
