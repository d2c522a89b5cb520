/** Where in a folder that somebody brings the cluster lies: Debian's, Docker's and others' layouts. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { CommandExit } from '../protocol/exit-codes.ts';

const DEPTH = 3;

/** The one folder with PG_VERSION and global/ in it. Throws a Failure where there is none, or more than one. */
export function findForeignCluster(path: string): string {
  if (!path.startsWith('/') || !existsSync(path)) {
    throw new Failure(`cannot adopt ${path || 'nothing'}: there is no such folder`, {
      exitCode: CommandExit.unknownName,
    });
  }
  const found = search(path.replace(/\/+$/, '') || '/', DEPTH);
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new Failure(
    found.length === 0
      ? `cannot adopt ${path}: there is no cluster of PostgreSQL in it`
      : `cannot tell which cluster to adopt: ${found.join(', ')}`,
    {
      remedy: found.length === 0 ? 'name the folder that PG_VERSION lies in' : 'name one of them',
      exitCode: CommandExit.unknownName,
    },
  );
}

function search(folder: string, depth: number): string[] {
  if (existsSync(join(folder, 'PG_VERSION')) && existsSync(join(folder, 'global'))) return [folder];
  if (depth === 0) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => search(join(folder, entry.name), depth - 1))
    .sort();
}
