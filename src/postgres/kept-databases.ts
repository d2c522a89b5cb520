/** Databases that were replaced: renamed by the transaction that put another in their place, and never dropped by itself. */
import type { Session } from './connect.ts';
import { keptSince } from './database-names.ts';

export interface KeptDatabase {
  readonly name: string;
  /** When it went out of use, ISO 8601. */
  readonly since: string;
  /** On the disk. */
  readonly bytes: number;
}

/** Newest first. */
export async function listKeptDatabases(session: Session): Promise<KeptDatabase[]> {
  const { rows } = await session.query<{ name: string; bytes: string }>(
    `SELECT datname AS name, pg_catalog.pg_database_size(oid) AS bytes FROM pg_catalog.pg_database
      WHERE datname ~ '_old_[0-9]{8}T[0-9]{6}$'`,
  );
  return rows
    .flatMap(({ name, bytes }) => {
      const since = keptSince(name);
      return since === undefined ? [] : [{ name, since, bytes: Number(bytes) }];
    })
    .sort((a, b) => (a.since < b.since ? 1 : -1));
}
