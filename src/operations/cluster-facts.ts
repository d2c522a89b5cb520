/** What a server says of its cluster, as far as another one has to be like it. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { MAINTENANCE_DATABASE } from '../postgres/layout.ts';
import type { PrivateServer } from '../postgres/private-server.ts';

export interface ClusterFacts {
  /** That hold something; the maintenance database first. */
  readonly databases: readonly string[];
  readonly extensions: readonly string[];
  readonly tables: number;
  /** For initdb: encoding, locale and size of WAL segments. */
  readonly initdb: readonly string[];
  /** Undefined: as ours are made. */
  readonly locale: readonly string[] | undefined;
}

/** Throws a Failure where the cluster has something that cannot be moved. */
export async function readClusterFacts(server: PrivateServer): Promise<ClusterFacts> {
  const session = await server.connect('template1');
  try {
    await refuseTablespaces(session);
    const { rows } = await session.query<{ datname: string; datallowconn: boolean }>(
      'SELECT datname, datallowconn FROM pg_catalog.pg_database WHERE NOT datistemplate ORDER BY datname',
    );
    const closed = rows.find(({ datallowconn }) => !datallowconn);
    if (closed) {
      throw new Failure(`cannot move the database ${closed.datname}: it allows no connections`, {
        remedy: `ALTER DATABASE "${closed.datname}" ALLOW_CONNECTIONS true, or drop it`,
      });
    }
    const names = rows.map(({ datname }) => datname);
    const databases = names.sort(
      (a, b) => Number(b === MAINTENANCE_DATABASE) - Number(a === MAINTENANCE_DATABASE),
    );
    const inside = await Promise.all(databases.map((name) => lookInside(server, name)));
    const segment = await session.query<{ setting: string }>(
      "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'",
    );
    return {
      databases,
      extensions: [...new Set(inside.flatMap(({ extensions }) => extensions))].sort(),
      tables: inside.reduce((sum, { tables }) => sum + tables, 0),
      initdb: [`--wal-segsize=${Number(segment.rows[0]?.setting) / 1024 ** 2}`],
      locale: await readLocale(session),
    };
  } finally {
    await session.end();
  }
}

/** Those of them that a server of ours does not have. */
export async function missingExtensions(session: Session, names: readonly string[]): Promise<string[]> {
  const { rows } = await session.query<{ name: string }>(
    'SELECT name FROM pg_catalog.pg_available_extensions WHERE name = ANY ($1)',
    [[...names]],
  );
  return names.filter((name) => !rows.some((row) => row.name === name));
}

/** Bytes of all files below. */
export function sizeOf(folder: string): number {
  try {
    return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(folder, entry.name);
      return (
        sum + (entry.isDirectory() ? sizeOf(path) : (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0))
      );
    }, 0);
  } catch (error) {
    // What a server removes while we look takes no room.
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function refuseTablespaces(session: Session): Promise<void> {
  const { rows } = await session.query<{ spcname: string }>(
    "SELECT spcname FROM pg_catalog.pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')",
  );
  if (rows.length === 0) return;
  const names = rows.map(({ spcname }) => spcname).join(', ');
  throw new Failure(`cannot move a cluster with tablespaces: ${names}`, {
    remedy: 'move what lies in them to pg_default (ALTER DATABASE … SET TABLESPACE pg_default) and drop them',
  });
}

async function lookInside(
  server: PrivateServer,
  name: string,
): Promise<{ readonly extensions: string[]; readonly tables: number }> {
  const session = await server.connect(name);
  try {
    const { rows } = await session.query<{ extensions: string[]; tables: string }>(
      `SELECT coalesce((SELECT array_agg(extname::text) FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'), '{}')
                AS extensions,
              (SELECT count(*) FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384) AS tables`,
    );
    return { extensions: rows[0]?.extensions ?? [], tables: Number(rows[0]?.tables ?? 0) };
  } finally {
    await session.end();
  }
}

async function readLocale(session: Session): Promise<readonly string[] | undefined> {
  const { rows } = await session.query<{ row: Readonly<Record<string, string | null>>; encoding: string }>(
    `SELECT to_jsonb(d) AS row, pg_encoding_to_char(encoding) AS encoding FROM pg_catalog.pg_database d
      WHERE datname = 'template0'`,
  );
  const { row = {}, encoding = 'UTF8' } = rows[0] ?? {};
  const { datcollate = 'C', datctype = 'C', datlocprovider = 'c' } = row;
  if (encoding === 'UTF8' && datcollate === 'C.UTF-8' && datctype === 'C.UTF-8' && datlocprovider !== 'i') {
    return undefined;
  }
  // Called daticulocale in 15 and 16.
  const locale = row.datlocale ?? row.daticulocale ?? '';
  return [
    `--encoding=${encoding}`,
    `--lc-collate=${datcollate}`,
    `--lc-ctype=${datctype}`,
    ...(datlocprovider === 'i' ? ['--locale-provider=icu', `--icu-locale=${locale}`] : []),
    ...(datlocprovider === 'b' ? ['--locale-provider=builtin', `--builtin-locale=${locale}`] : []),
  ];
}
