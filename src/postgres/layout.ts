/** Where things lie on the volume and in the run directory. One place knows the names. */
import { join } from 'node:path';

export interface Layout {
  readonly dataDir: string;
  readonly pg: string;
  /** A symbolic link to the cluster in use, replaced only by rename. */
  readonly current: string;
  readonly trash: string;
  readonly secrets: string;
  readonly imports: string;
  /** The dump of the owner's own convention. */
  readonly backupFile: string;
  readonly identity: string;
  /** SQL settings of the operator, read last. */
  readonly overrides: string;
  /** The socket directory; also holds what we render, because it belongs to the database's user. */
  readonly sockets: string;
  readonly rendered: string;
}

export function layoutOf(dataDir: string, runDir: string): Layout {
  const pg = join(dataDir, 'pg');
  const sockets = join(runDir, 'pg');
  return {
    dataDir,
    pg,
    current: join(pg, 'current'),
    trash: join(pg, 'trash'),
    secrets: join(dataDir, 'secrets'),
    imports: join(dataDir, 'import'),
    backupFile: join(dataDir, 'current-db-backup.sql'),
    identity: join(dataDir, 'bulkhead', 'identity.json'),
    overrides: join(dataDir, 'config', 'postgresql.d'),
    sockets,
    rendered: join(sockets, 'config'),
  };
}

/** Every folder of the volume that is made where it is missing. */
export const VOLUME_FOLDERS = [
  'pg',
  'wal',
  'backups',
  'assets',
  'logs',
  'secrets',
  'import',
  'bulkhead',
  'config',
] as const;

/** The bootstrap superuser. Not `postgres`, so that a cluster dump's CREATE ROLE postgres finds the name free. */
export const SUPERUSER = 'bulkhead';
/** The ledger lives beside the application's database: imports and resets replace that one. */
export const MAINTENANCE_DATABASE = 'postgres';
/**
 * Of the queue: a database beside the application's, so that nothing that is done to that one touches a job; in a server
 * that is not ours a schema of that one. Also the name of the role it belongs to.
 */
export const JOBS_DATABASE = 'bulkhead_jobs';
