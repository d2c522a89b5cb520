/** What must be true before the first statement of a dump runs. */
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import type { Session } from '../postgres/connect.ts';
import { requireAvailable } from '../postgres/extensions.ts';
import { readMachineSize } from '../postgres/machine-size.ts';
import { quoteIdentifier } from '../postgres/sql-text.ts';
import type { SqlFacts } from './inspection.ts';
import type { Given } from './statement-rules.ts';

/** Text of a dump grows by indexes and row headers, and is written to the WAL as well. */
const DISK_FACTOR = 1.3;

export function requireDisk(dump: string, dataDir: string, { bytes }: Pick<SqlFacts, 'bytes'>): void {
  const { freeDisk } = readMachineSize(dataDir);
  const needed = bytes * DISK_FACTOR + 64 * 1024 ** 2;
  if (freeDisk >= needed) return;
  throw new Failure(
    `cannot import ${dump}: it needs about ${formatSize(needed)}, and ${dataDir} has ${formatSize(freeDisk)} free`,
    { remedy: 'make room on the volume, then start again; nothing was changed' },
  );
}

/** Only trusted extensions can be created by a role that is no superuser; those in `given` are there already. */
export async function requireExtensions(
  session: Session,
  dump: string,
  { extensions }: Pick<SqlFacts, 'extensions'>,
  { given, trusted }: { readonly given: readonly string[]; readonly trusted: boolean },
): Promise<void> {
  const needed = [...extensions.keys()].filter((name) => !given.includes(name));
  await requireAvailable(session, [...needed, ...given], `import ${dump}`);
  if (trusted) return;
  const { rows } = await session.query<{ name: string }>(
    `SELECT name FROM pg_catalog.pg_available_extension_versions WHERE name = ANY ($1)
      GROUP BY name HAVING NOT bool_or(trusted OR NOT superuser)`,
    [needed],
  );
  const forbidden = rows.map(({ name }) => name);
  if (forbidden.length > 0) {
    throw new Failure(`cannot import ${dump}: only a superuser may create ${forbidden.join(', ')}`, {
      remedy: `allow it in the plan: database: { extensions: [${forbidden.join(', ')}] }; or leave it out with pg_dump --exclude-extension`,
    });
  }
}

/** Roles a dump grants something to are made without login, so that the grants keep their meaning. Returns the new ones. */
export async function makeMissingRoles(
  session: Session,
  { roles }: Pick<SqlFacts, 'roles'>,
): Promise<string[]> {
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

/** The extensions a database is given before its dump: those the plan names, in the schemas the dump names. */
export function givenOf(
  allowed: readonly string[],
  dumped: ReadonlyMap<string, string | undefined>,
): Given & { readonly wanted: ReadonlyMap<string, string | undefined> } {
  const wanted = new Map(allowed.map((name) => [name, dumped.get(name)]));
  const schemas = [...wanted.values()].filter((schema) => schema !== undefined);
  return { wanted, extensions: new Set(allowed), schemas: new Set(schemas) };
}
