/** A backup of kind `dump`: the application's database by pg_dump, and the roles, as SQL without their passwords. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import { connectAsSuperuser, type Server, type Session } from '../postgres/connect.ts';
import { fingerprintTables } from '../postgres/fingerprint.ts';
import { readSystemIdentifier } from '../postgres/identity.ts';
import type { Job } from '../program/job.ts';
import { type BackupDatabase, dumpFile, GLOBALS_FILE } from '../protocol/backups.ts';
import { runTool, type ToolResult } from '../system/commands.ts';
import { tellBytes } from './byte-progress.ts';
import type { BackupContent } from './make-backup.ts';
import { asSuperuser, type PostgresPlace, requireTool } from './postgres-place.ts';

export interface DumpOptions {
  readonly job: Job;
  readonly server: Server;
  readonly place: PostgresPlace;
  /** Where the files go. */
  readonly stage: string;
}

/**
 * The dump and the fingerprints are of one and the same moment: the session that takes the fingerprints exports its
 * snapshot, and pg_dump reads by it, both at once, whatever is written meanwhile.
 */
export async function dumpInto(options: DumpOptions): Promise<BackupContent> {
  const { job, server, place } = options;
  const name = job.plan.name;
  const session = await connectAsSuperuser(server, name);
  try {
    await session.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const facts = await readFacts(session);
    // Whichever fails first ends the other: a page that cannot be read fails both.
    const failed = new AbortController();
    const signal = AbortSignal.any([job.signal, failed.signal]);
    const [dumped, prints, globals] = await Promise.allSettled([
      runDump(options, facts, signal).catch(async (error: unknown) => {
        if (!signal.aborted) await cancel(server, session);
        throw error;
      }),
      fingerprintTables(session).catch((error: unknown) => {
        failed.abort();
        throw new Failure(`cannot read the database ${name}: ${messageOf(error)}`, {
          remedy: remedyOf(messageOf(error)),
          cause: error,
        });
      }),
      dumpGlobals(options),
    ]);
    job.signal.throwIfAborted();
    if (prints.status === 'rejected' && failed.signal.aborted && !wasCancelled(prints.reason))
      throw prints.reason;
    if (dumped.status === 'rejected') throw dumped.reason;
    if (prints.status === 'rejected') throw prints.reason;
    if (globals.status === 'rejected') throw globals.reason;
    const database: BackupDatabase = { ...facts.database, tables: prints.value };
    return {
      startedAt: facts.at.toISOString(),
      server: {
        version: facts.version,
        major: place.binaries.major,
        systemIdentifier: readSystemIdentifier(place.layout.current),
      },
      databases: [database],
    };
  } finally {
    await session.end();
  }
}

async function runDump(
  { job, server, place, stage }: DumpOptions,
  facts: Facts,
  signal: AbortSignal,
): Promise<void> {
  const { name } = facts.database;
  const pgDump = requireTool(place.binaries, 'pg_dump', 'dump the database');
  const { argv, env } = asSuperuser(server, place.binaries);
  const watch = await watchTables(job, server, facts);
  const dump = (compress: readonly string[]): Promise<ToolResult> =>
    runTool(
      [
        pgDump,
        ...argv,
        '--format=custom',
        ...compress,
        `--snapshot=${facts.snapshot}`,
        '--verbose',
        `--file=${join(stage, dumpFile(name))}`,
        `--dbname=${connectionString(name)}`,
      ],
      { env, signal, onLine: watch.line },
    );
  try {
    // zstd is faster and smaller, but came with 16, and a build may lack it.
    let result = await dump(place.binaries.major >= 16 ? ['--compress=zstd:3'] : []);
    if (result.failed && /not support compression|compression method/i.test(result.stderr))
      result = await dump([]);
    if (result.failed) throw dumpFailure(`dump the database ${name}`, result);
    watch.done();
  } finally {
    await watch.end();
  }
}

interface Facts {
  readonly snapshot: string;
  readonly at: Date;
  readonly version: string;
  readonly database: Omit<BackupDatabase, 'tables'>;
  /** Bytes of each table by its name, as pg_dump says it: without quotes. */
  readonly sizes: ReadonlyMap<string, number>;
}

async function readFacts(session: Session): Promise<Facts> {
  const { rows } = await session.query<Omit<Facts, 'database' | 'sizes'> & Facts['database']>(
    `SELECT pg_catalog.pg_export_snapshot() AS snapshot, now() AS at, current_setting('server_version') AS version,
            d.datname AS name, pg_catalog.pg_get_userbyid(d.datdba) AS owner,
            ARRAY(SELECT extname::text FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' ORDER BY 1) AS extensions
       FROM pg_catalog.pg_database d WHERE d.datname = current_database()`,
  );
  const row = rows[0];
  if (!row) throw new Error('the database is not in its own catalogue');
  const tables = await session.query<{ name: string; size: string }>(
    `SELECT n.nspname || '.' || c.relname AS name, pg_catalog.pg_table_size(c.oid) AS size
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`,
  );
  const { snapshot, at, version, name, owner, extensions } = row;
  return {
    snapshot,
    at,
    version,
    database: { name, owner, extensions },
    sizes: new Map(tables.rows.map((table) => [table.name, Number(table.size)])),
  };
}

/** What --verbose says when the rows of a table begin: `dumping contents of table "public.tools"`. */
const TABLE_BEGINS = /dumping contents of table "(.*)"$/;
const LOOK_EVERY_MS = 500;

/** Told by tables, and inside of a large one by what the server says of the COPY. */
async function watchTables(
  job: Job,
  server: Server,
  { database, sizes }: Facts,
): Promise<{ readonly line: (line: string) => void; done(): void; end(): Promise<void> }> {
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const tell = tellBytes(`dumping ${database.name}`, total, job.report);
  let done = 0;
  let current = 0;
  const session = await connectAsSuperuser(server);
  const look = (): void => {
    session
      .query<{ bytes: string }>(
        `SELECT coalesce(sum(bytes_processed), 0) AS bytes FROM pg_catalog.pg_stat_progress_copy
          WHERE command = 'COPY TO' AND datname = $1`,
        [database.name],
      )
      .then(({ rows }) => tell(done + Math.min(current, Number(rows[0]?.bytes))))
      .catch(() => undefined);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    line: (line) => {
      const name = TABLE_BEGINS.exec(line)?.[1];
      if (name === undefined) return;
      done += current;
      current = sizes.get(name) ?? 0;
      tell(done);
    },
    done: () => tell(total),
    end: async () => {
      clearInterval(timer);
      await session.end();
    },
  };
}

/** Ends what the session is busy with. */
async function cancel(server: Server, busy: Session): Promise<void> {
  const helper = await connectAsSuperuser(server).catch(() => undefined);
  await helper?.query('SELECT pg_catalog.pg_cancel_backend($1)', [pidOf(busy)]).catch(() => undefined);
  await helper?.end();
}

/** Cancelled because the dump had failed: that failure is the one to tell. */
function wasCancelled(error: unknown): boolean {
  return error instanceof Error && /canceling statement/.test(error.message);
}

/** pg keeps the number of its backend under this name, and does not declare it. */
function pidOf(session: Session): number {
  return (session as unknown as { readonly processID: number }).processID;
}

/** Without passwords: a copy of a backup goes to places where hashes of passwords should not be. */
async function dumpGlobals({ job, server, place, stage }: DumpOptions): Promise<void> {
  const pgDumpall = requireTool(place.binaries, 'pg_dumpall', 'dump the roles');
  const { argv, env } = asSuperuser(server, place.binaries);
  const result = await runTool([pgDumpall, ...argv, '--globals-only', '--no-role-passwords'], {
    env,
    signal: job.signal,
  });
  job.signal.throwIfAborted();
  if (result.failed) throw dumpFailure('dump the roles', result);
  writeFileSync(join(stage, GLOBALS_FILE), result.stdout, { mode: 0o600 });
}

/** What a tool says, in one sentence, with what can be done about it. */
export function dumpFailure(what: string, { stderr, message }: ToolResult): Failure {
  const lines = stderr
    .split('\n')
    .filter((line) => /error|could not|No space|FATAL|DETAIL|invalid/i.test(line))
    .map((line) => line.replace(/^pg_\w+: (error: |detail: )?/, '').trim());
  const cause = [...new Set(lines)].slice(0, 3).join('; ') || message || 'it said nothing';
  return new Failure(`cannot ${what}: ${cause}`, { remedy: remedyOf(stderr) });
}

function remedyOf(said: string): string {
  if (/No space left|could not write/i.test(said)) {
    return 'make room on the volume or enlarge it; older backups are as they were';
  }
  return /invalid page|checksum/i.test(said)
    ? 'a page of the database is damaged: keep the backups there are, and restore one before more is lost'
    : 'see `bulkhead logs`; older backups are as they were';
}

/** A name with `=` or `://` would be taken for a connection string, so it always is one. */
function connectionString(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Bytes, indexes and all. */
export async function readDatabaseSize(server: Server, name: string): Promise<number> {
  const session = await connectAsSuperuser(server);
  try {
    const { rows } = await session.query<{ size: string }>('SELECT pg_catalog.pg_database_size($1) AS size', [
      name,
    ]);
    return Number(rows[0]?.size ?? 0);
  } finally {
    await session.end();
  }
}
