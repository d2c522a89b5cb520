/** The client programs of PostgreSQL, on a host that may have no server. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../base/errors.ts';

export interface Clients {
  /** Folder of pg_dump and pg_restore. */
  readonly bin: string;
  readonly major: number;
}

/**
 * Those of the server's major, else the next newer ones: an older pg_dump refuses, and what a much newer one writes,
 * the new host may not read. @throws Failure where there are none.
 */
export function findClients(serverMajor: number): Clients {
  const found = listFolders().flatMap((bin) => {
    const major = majorOf(bin);
    return major === undefined ? [] : [{ bin, major }];
  });
  const usable = found.filter(({ major }) => major >= serverMajor).sort((a, b) => a.major - b.major)[0];
  if (usable) return usable;
  const here =
    found.length === 0 ? 'none is here' : `here is that of ${found.map(({ major }) => major).join(', ')}`;
  throw new Failure(
    `cannot dump the database: its server is PostgreSQL ${serverMajor}, which needs pg_dump of ${serverMajor} or newer, and ${here}`,
    { remedy: `install the package postgresql-client-${serverMajor}` },
  );
}

function listFolders(): string[] {
  const folders = new Set<string>();
  for (const folder of (process.env.PATH ?? '').split(':')) {
    if (!folder.startsWith('/') || !isExecutable(join(folder, 'pg_dump'))) continue;
    const real = dirname(realpathSync(join(folder, 'pg_dump')));
    // Debian's is a wrapper that chooses among the versions below.
    folders.add(isExecutable(join(real, 'pg_restore')) ? real : folder);
  }
  for (const version of namesIn('/usr/lib/postgresql')) folders.add(`/usr/lib/postgresql/${version}/bin`);
  return [...folders];
}

function majorOf(bin: string): number | undefined {
  if (!isExecutable(join(bin, 'pg_dump')) || !isExecutable(join(bin, 'pg_restore'))) return undefined;
  try {
    const said = execFileSync(join(bin, 'pg_dump'), ['--version'], { encoding: 'utf8', stdio: 'pipe' });
    const major = /\(PostgreSQL\) (\d+)/.exec(said)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
