/** The dump of a bundle and the fingerprints of its tables, of one and the same moment, as the role that was named. */
import { join } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { fingerprintTables, maySeeLargeObjects, type TableFingerprint } from '../postgres/fingerprint.ts';
import { libpqEnvironment } from '../postgres/libpq-environment.ts';
import { runTool, type ToolResult } from '../system/commands.ts';
import type { BundleDatabase } from './bundle-format.ts';
import { type Clients, findNearestClients } from './find-nearest-clients.ts';
import { connectSource, type SourceDatabase } from './source-database.ts';

export interface DumpedSource {
  readonly at: Date;
  readonly database: Omit<BundleDatabase, 'verified'>;
  readonly extensions: readonly string[];
  /** Bytes of the database, indexes and all. */
  readonly bytes: number;
  readonly clients: Clients;
}

/** Writes the dump to `file` and reads it back. @throws Failure that says what PostgreSQL said. */
export async function dumpSource(
  named: SourceDatabase,
  file: string,
  signal: AbortSignal,
  tell: (text: string) => void,
): Promise<DumpedSource> {
  const { source, session } = await connectSource(named);
  try {
    await session.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const facts = await readFacts(session);
    const clients = findNearestClients(facts.major);
    const largeObjects = await maySeeLargeObjects(session);
    tell(`dumping ${source.name}, and taking the fingerprints of its tables`);
    const tables = await atOnce({ source, session, largeObjects }, signal, (until) =>
      runDump(source, clients, { snapshot: facts.snapshot, file, signal: until }),
    );
    tell('reading the dump back');
    await requireReadable(clients, file, signal);
    return {
      at: facts.at,
      extensions: facts.extensions,
      bytes: Number(facts.bytes),
      clients,
      database: {
        name: source.name,
        user: source.user,
        serverVersion: facts.version,
        clientMajor: clients.major,
        tables,
        largeObjects,
      },
    };
  } finally {
    await session.end().catch(() => undefined);
  }
}

/** Both read by one snapshot. Whichever fails first ends the other, and is the one that is told. */
async function atOnce(
  from: { readonly source: SourceDatabase; readonly session: Session; readonly largeObjects: boolean },
  signal: AbortSignal,
  dump: (signal: AbortSignal) => Promise<void>,
): Promise<readonly TableFingerprint[]> {
  const { session, largeObjects } = from;
  const { name, user } = from.source;
  const failed = new AbortController();
  let first: unknown;
  const dumping = dump(AbortSignal.any([signal, failed.signal])).catch((error: unknown) => {
    first ??= error;
    // A fingerprint of hours is not waited for any more.
    session.connection.stream.destroy();
  });
  const prints = await fingerprintTables(session, { withLargeObjects: largeObjects }).catch(
    (cause: unknown) => {
      first ??= new Failure(`cannot read the database ${name} as ${user}: ${messageOf(cause)}`, {
        remedy: 'name a role in DATABASE_URL that may read every table, e.g. their owner',
        cause,
      });
      failed.abort();
      return [];
    },
  );
  await dumping;
  signal.throwIfAborted();
  if (first !== undefined) throw first;
  return prints;
}

interface Facts {
  readonly snapshot: string;
  readonly at: Date;
  readonly version: string;
  readonly major: number;
  readonly extensions: readonly string[];
  readonly bytes: string;
}

async function readFacts(session: Session): Promise<Facts> {
  const { rows } = await session.query<Facts>(
    `SELECT pg_catalog.pg_export_snapshot() AS snapshot, now() AS at, current_setting('server_version') AS version,
            current_setting('server_version_num')::int / 10000 AS major,
            ARRAY(SELECT extname::text FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' ORDER BY 1) AS extensions,
            pg_catalog.pg_database_size(current_database()) AS bytes`,
  );
  const row = rows[0];
  if (!row) throw new Error('a SELECT without FROM gave no row');
  return row;
}

async function runDump(
  { server, user, password, name }: SourceDatabase,
  { bin }: Clients,
  {
    snapshot,
    file,
    signal,
  }: { readonly snapshot: string; readonly file: string; readonly signal: AbortSignal },
): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LC_ALL: 'C',
    PGAPPNAME: 'bulkhead bundle',
    ...libpqEnvironment(server, { user, password, name }),
  };
  const argv = ['--format=custom', '--no-password', `--snapshot=${snapshot}`, `--file=${file}`];
  const result = await runTool([join(bin, 'pg_dump'), ...argv], { env, signal });
  signal.throwIfAborted();
  if (result.failed) throw toolFailure(`dump the database ${name}`, result);
}

/** All of it, written as SQL into nothing: that finds every cut and damage. */
async function requireReadable({ bin }: Clients, file: string, signal: AbortSignal): Promise<void> {
  const result = await runTool([join(bin, 'pg_restore'), '--file=/dev/null', file], {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    signal,
  });
  signal.throwIfAborted();
  if (result.failed) throw toolFailure('read back the dump', result);
}

function toolFailure(what: string, { stderr, message }: ToolResult): Failure {
  const lines = stderr
    .split('\n')
    .filter((line) => /error|could not|No space|FATAL|DETAIL|invalid/i.test(line))
    .map((line) => line.replace(/^pg_\w+: (error: |detail: )?/, '').trim());
  const cause = [...new Set(lines)].slice(0, 3).join('; ') || message || 'it said nothing';
  return new Failure(`cannot ${what}: ${cause}`, {
    remedy: /permission denied|row-level security/i.test(stderr)
      ? 'name a role in DATABASE_URL that may read every table, e.g. their owner'
      : 'mend what PostgreSQL says; nothing was written',
  });
}
