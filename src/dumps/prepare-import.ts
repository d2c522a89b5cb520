/** What must be true before the first statement of a dump runs. */
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import type { Session } from '../postgres/connect.ts';
import { readMachineSize } from '../postgres/machine-size.ts';
import { quoteIdentifier } from '../postgres/sql-text.ts';
import type { SqlFacts } from './inspect-sql.ts';

/** Text of a dump grows by indexes and row headers, and is written to the WAL as well. */
const DISK_FACTOR = 1.3;

export function requireDisk(dump: string, dataDir: string, { bytes }: SqlFacts): void {
  const { freeDisk } = readMachineSize(dataDir);
  const needed = bytes * DISK_FACTOR + 64 * 1024 ** 2;
  if (freeDisk >= needed) return;
  throw new Failure(
    `cannot import ${dump}: it needs about ${formatSize(needed)}, and ${dataDir} has ${formatSize(freeDisk)} free`,
    { remedy: 'make room on the volume, then start again; nothing was changed' },
  );
}

/** Only trusted extensions can be created by a role that is no superuser. */
export async function requireExtensions(
  session: Session,
  dump: string,
  { extensions }: SqlFacts,
): Promise<void> {
  const { rows } = await session.query<{ name: string; creatable: boolean }>(
    `SELECT name, bool_or(trusted OR NOT superuser) AS creatable
       FROM pg_catalog.pg_available_extension_versions WHERE name = ANY ($1) GROUP BY name`,
    [[...extensions]],
  );
  const missing = [...extensions].filter((name) => !rows.some((row) => row.name === name));
  if (missing.length > 0) {
    throw new Failure(`cannot import ${dump}: this PostgreSQL does not have ${missing.join(', ')}`, {
      remedy: 'add the package of the extension to the image (apt-cache search postgresql), then start again',
    });
  }
  const forbidden = rows.filter(({ creatable }) => !creatable).map(({ name }) => name);
  if (forbidden.length > 0) {
    throw new Failure(`cannot import ${dump}: only a superuser may create ${forbidden.join(', ')}`, {
      remedy:
        'take CREATE EXTENSION out of the dump, or leave the extension out with pg_dump --exclude-extension',
    });
  }
}

/** Roles a dump grants something to are made without login, so that the grants keep their meaning. Returns the new ones. */
export async function makeMissingRoles(session: Session, { roles }: SqlFacts): Promise<string[]> {
  const { rows } = await session.query<{ rolname: string }>(
    'SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)',
    [[...roles]],
  );
  const missing = [...roles].filter(
    (name) => !rows.some(({ rolname }) => rolname === name) && !name.startsWith('pg_'),
  );
  for (const name of missing) await session.query(`CREATE ROLE ${quoteIdentifier(name)} NOLOGIN`);
  return missing;
}
