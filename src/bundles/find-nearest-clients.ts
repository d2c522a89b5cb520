/** The client programs of PostgreSQL for a dump that another host is to read, here where there may be no server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { findTool, listClients, type PostgresBinaries } from '../postgres/binaries.ts';

export type Clients = Pick<PostgresBinaries, 'bin' | 'major'>;

/**
 * Those of the server's major, else the next newer ones: an older pg_dump refuses, and what a much newer one writes,
 * the new host may not read. @throws Failure where there are none.
 */
export function findNearestClients(serverMajor: number): Clients {
  const found = listWhole();
  const usable = found.filter(({ major }) => major >= serverMajor).sort((a, b) => a.major - b.major)[0];
  if (usable) return usable;
  const here =
    found.length === 0 ? 'none is here' : `here is that of ${found.map(({ major }) => major).join(', ')}`;
  throw new Failure(
    `cannot dump the database: its server is PostgreSQL ${serverMajor}, which needs pg_dump of ${serverMajor} or newer, and ${here}`,
    { remedy: `install the package postgresql-client-${serverMajor}` },
  );
}

/** The server npm brings may want a folder for links, and has no client programs: it is not kept. */
function listWhole(): readonly Clients[] {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-clients-'));
  try {
    return listClients(folder).filter((each) => findTool(each, 'pg_restore'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
