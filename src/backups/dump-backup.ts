/** A backup of kind `dump`: the application's database by pg_dump, and the roles, as SQL without their passwords. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import type { Server, Session } from '../postgres/connect.ts';
import { fingerprintTables } from '../postgres/fingerprint.ts';
import { readSystemIdentifier } from '../postgres/identity.ts';
import { JOBS_DATABASE } from '../postgres/layout.ts';
import type { Job } from '../program/job.ts';
import { type BackupDatabase, dumpFile, GLOBALS_FILE } from '../protocol/backups.ts';
import { runTool, type ToolResult } from '../system/commands.ts';
import { connectToDump, liftLimits, type ToolLogin, toolLogin } from './dump-login.ts';
import { watchTables } from './dump-progress.ts';
import type { BackupContent } from './make-backup.ts';
import { type PostgresPlace, placeToDump, requireTool } from './postgres-place.ts';

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
  const { job, server } = options;
  const name = job.plan.name;
  const session = await connectToDump(server, name);
  try {
    await liftLimits(session);
    const place = placeToDump(options.place, await readMajor(session));
    const work: Work = { ...options, place, login: toolLogin(session, server, place.binaries, job.plan) };
    // By our clock: that of a server elsewhere must not decide about what is old.
    const startedAt = new Date().toISOString();
    // The processors are pg_dump's: several at once would make it wait, and gain nothing.
    await session.query('SET max_parallel_workers_per_gather = 0');
    await session.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const facts = await readFacts(session);
    // Whichever fails first ends the other: a page that cannot be read fails both.
    const failed = new AbortController();
    const signal = AbortSignal.any([job.signal, failed.signal]);
    const [dumped, prints, globals] = await Promise.allSettled([
      runDump(work, facts, signal).catch(async (error: unknown) => {
        if (!signal.aborted) await cancel(work, session);
        throw error;
      }),
      fingerprintTables(session, { leftOut: leftOut(server) }).catch((error: unknown) => {
        failed.abort();
        throw new Failure(`cannot read the database ${name}: ${messageOf(error)}`, {
          remedy: remedyOf(messageOf(error)),
          cause: error,
        });
      }),
      // The roles of a server that is not ours are not ours to keep.
      server.external ? undefined : dumpGlobals(work),
    ]);
    job.signal.throwIfAborted();
    if (prints.status === 'rejected' && failed.signal.aborted && !wasCancelled(prints.reason))
      throw prints.reason;
    if (dumped.status === 'rejected') throw dumped.reason;
    if (prints.status === 'rejected') throw prints.reason;
    if (globals.status === 'rejected') throw globals.reason;
    const database: BackupDatabase = { ...facts.database, tables: prints.value };
    return {
      startedAt,
      server: {
        version: facts.version,
        major: facts.major,
        systemIdentifier: server.external ? '' : readSystemIdentifier(place.layout.current),
      },
      databases: [database],
    };
  } finally {
    await session.end();
  }
}

interface Work extends DumpOptions {
  readonly login: ToolLogin;
}

/**
 * The ledger tells of the database it lies in; in another one it would be wrong, and in the way. Jobs that were done since
 * must not be there again.
 */
function leftOut({ external }: Server): readonly string[] {
  return external ? ['bulkhead', JOBS_DATABASE] : [];
}

async function runDump(
  { job, server, place, stage, login: { argv, env } }: Work,
  facts: Facts,
  signal: AbortSignal,
): Promise<void> {
  const { name } = facts.database;
  const pgDump = requireTool(place.binaries, 'pg_dump', 'dump the database');
  const watch = await watchTables(job, server, facts);
  const dump = (compress: readonly string[]): Promise<ToolResult> =>
    runTool(
      [
        pgDump,
        ...argv,
        '--format=custom',
        ...compress,
        `--snapshot=${facts.snapshot}`,
        ...leftOut(server).map((schema) => `--exclude-schema=${schema}`),
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
  readonly version: string;
  readonly major: number;
  readonly database: Omit<BackupDatabase, 'tables'>;
  /** Bytes of each table by its name, as pg_dump says it: without quotes. */
  readonly sizes: ReadonlyMap<string, number>;
}

async function readFacts(session: Session): Promise<Facts> {
  const { rows } = await session.query<Omit<Facts, 'database' | 'sizes'> & Facts['database']>(
    `SELECT pg_catalog.pg_export_snapshot() AS snapshot, current_setting('server_version') AS version,
            current_setting('server_version_num')::int / 10000 AS major,
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
  const { snapshot, version, major, name, owner, extensions } = row;
  return {
    snapshot,
    version,
    major,
    database: { name, owner, extensions },
    sizes: new Map(tables.rows.map((table) => [table.name, Number(table.size)])),
  };
}

async function readMajor(session: Session): Promise<number> {
  const { rows } = await session.query<{ major: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major`,
  );
  return rows[0]?.major ?? 0;
}

/** Ends what the session is busy with. */
async function cancel({ job, server }: Work, busy: Session): Promise<void> {
  const helper = await connectToDump(server, job.plan.name).catch(() => undefined);
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
async function dumpGlobals({ job, place, stage, login: { argv, env } }: Work): Promise<void> {
  const pgDumpall = requireTool(place.binaries, 'pg_dumpall', 'dump the roles');
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
  if (/permission denied|row-level security/i.test(said)) {
    return 'a dump holds all or nothing: let the role of DATABASE_URL read every table of its database, past row-level security too (BYPASSRLS)';
  }
  if (/invalid snapshot|snapshot .* does not exist|import the requested snapshot/i.test(said)) {
    return 'DATABASE_URL leads to several servers, or through a pooler: set it to the address of the one server';
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
  const session = await connectToDump(server, name);
  try {
    const { rows } = await session.query<{ size: string }>('SELECT pg_catalog.pg_database_size($1) AS size', [
      name,
    ]);
    return Number(rows[0]?.size ?? 0);
  } finally {
    await session.end();
  }
}
