/** Restores a dump into a scratch cluster, as the application's role and no superuser, and compares what came out. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../base/errors.ts';
import { openArchive, restoreArchive } from '../dumps/restore-archive.ts';
import type { Server, Session } from '../postgres/connect.ts';
import { compareFingerprints, fingerprintTables, LARGE_OBJECTS } from '../postgres/fingerprint.ts';
import { SUPERUSER } from '../postgres/layout.ts';
import { readMachineSize } from '../postgres/machine-size.ts';
import type { PrivateServer } from '../postgres/private-server.ts';
import { scramVerifier } from '../postgres/scram.ts';
import { quoteIdentifier, quoteLiteral } from '../postgres/sql-text.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import type { BackupDatabase } from '../protocol/backups.ts';
import { BadBackup, blameBackup } from './bad-backup.ts';
import type { PostgresPlace } from './postgres-place.ts';
import { withScratchCluster } from './scratch-cluster.ts';

/** The most sentences of difference that are told. */
const TOLD = 3;

/** Dumps by pg_dump, with what was seen when they were made. */
export interface DumpedDatabases {
  /** For people. */
  readonly id: string;
  readonly databases: readonly BackupDatabase[];
  /** Where the dump of this database lies. */
  fileOf(database: string): string;
  /** false: whoever dumped could not read the large objects, so they are not compared. */
  readonly largeObjects?: boolean;
}

/** What of a job is needed, for it is done outside of one as well. */
export interface RestoreWork extends Pick<Job, 'signal' | 'report'> {
  readonly plan: { readonly user: string };
  readonly assignment: { readonly dataDir: string };
}

/** Resolves to the bytes of the restored databases. Throws BadBackup where they are not what was dumped. */
export async function restoreDump(
  job: RestoreWork,
  place: PostgresPlace,
  backup: DumpedDatabases,
): Promise<number> {
  const { databases } = backup;
  if (databases.length === 0) throw new BadBackup('its manifest names no database');
  // Code of a dump never runs as a superuser, whoever owned the database.
  const ownerOf = ({ owner }: BackupDatabase): string => (owner === SUPERUSER ? job.plan.user : owner);
  const roles = [...new Set(databases.map(ownerOf))];
  return withScratchCluster({ ...place, roles, signal: job.signal }, async (scratch, superuserPassword) => {
    let bytes = 0;
    for (const database of databases) {
      bytes += await restoreOne(
        job,
        place,
        backup,
        { ...database, owner: ownerOf(database) },
        scratch,
        superuserPassword,
      );
    }
    return bytes;
  });
}

async function restoreOne(
  job: RestoreWork,
  place: PostgresPlace,
  { id, fileOf, largeObjects }: DumpedDatabases,
  database: BackupDatabase,
  scratch: PrivateServer,
  superuserPassword: string | undefined,
): Promise<number> {
  const { name, owner } = database;
  const server: Server = {
    socketDir: scratch.socketDir,
    port: scratch.port,
    superuserPassword,
    appUser: owner,
    appPassword: randomBytes(24).toString('base64url'),
  };
  const extensions = await prepare(scratch, server, database);
  const archive = openArchive(fileOf(name), place.binaries, job.signal);
  const progress = tellProgress(`restoring ${id} to see that it can be`, job.report);
  const total = database.tables.length;
  let tables = 0;
  const jobs = Math.min(4, readMachineSize(job.assignment.dataDir).cpus);
  try {
    const given = { extensions: new Set(extensions), schemas: new Set<string>() };
    await restoreArchive(archive, server, name, { jobs, listDir: scratch.socketDir, given }, () => {
      tables += 1;
      progress.tell(Math.min(tables, total), total, `table ${tables} of ${total}`);
    });
  } catch (error) {
    job.signal.throwIfAborted();
    if (error instanceof Failure) blameBackup(error.message.replace(/^cannot import \S+: /, ''), error);
    throw error;
  }
  const session = await scratch.connect(name);
  try {
    const prints = await fingerprintTables(session, {
      like: database.tables,
      onTable: (done) => progress.tell(done, total, `table ${done} of ${total} compared`),
    });
    const found = largeObjects === false ? prints.filter((print) => print.table !== LARGE_OBJECTS) : prints;
    const differences = compareFingerprints(database.tables, found);
    if (differences.length > 0) {
      const more = differences.length > TOLD ? ` and ${differences.length - TOLD} more` : '';
      throw new BadBackup(`restored, ${differences.slice(0, TOLD).join('; ')}${more}`);
    }
    const { rows } = await session.query<{ size: string }>(
      'SELECT pg_catalog.pg_database_size(current_database()) AS size',
    );
    return Number(rows[0]?.size);
  } finally {
    await session.end();
  }
}

/**
 * Makes the role, its database, and the extensions it may not make itself; returns those. BYPASSRLS, because a table
 * whose policies bind its owner too could else be neither filled nor counted; it opens nothing but tables.
 */
async function prepare(
  scratch: PrivateServer,
  server: Server,
  { name, owner, extensions }: BackupDatabase,
): Promise<readonly string[]> {
  const session = await scratch.connect();
  try {
    const role = quoteIdentifier(owner);
    const { rowCount } = await session.query('SELECT FROM pg_catalog.pg_roles WHERE rolname = $1', [owner]);
    if (rowCount === 0) {
      await session.query(
        `CREATE ROLE ${role} LOGIN BYPASSRLS PASSWORD ${quoteLiteral(scramVerifier(server.appPassword))}`,
      );
    }
    await session.query(
      `CREATE DATABASE ${quoteIdentifier(name)} OWNER ${role} TEMPLATE template0 ENCODING 'UTF8'`,
    );
    const { rows } = await session.query<{ name: string; trusted: boolean }>(
      `SELECT name, bool_or(trusted OR NOT superuser) AS trusted
         FROM pg_catalog.pg_available_extension_versions WHERE name = ANY ($1) GROUP BY name`,
      [[...extensions]],
    );
    const missing = extensions.filter((extension) => !rows.some((row) => row.name === extension));
    if (missing.length > 0) {
      throw new Failure(`cannot restore the dump: this PostgreSQL does not have ${missing.join(', ')}`, {
        remedy: 'add the package of the extension to the image',
        code: 'no-extension',
      });
    }
    const untrusted = rows.filter(({ trusted }) => !trusted).map((row) => row.name);
    if (untrusted.length > 0) await createExtensions(await scratch.connect(name), untrusted);
    return untrusted;
  } finally {
    await session.end();
  }
}

async function createExtensions(session: Session, names: readonly string[]): Promise<void> {
  try {
    // Where it goes if it names no schema itself.
    await session.query('SET search_path = public');
    for (const name of names) await session.query(`CREATE EXTENSION ${quoteIdentifier(name)} CASCADE`);
  } finally {
    await session.end();
  }
}
