/** Archives of pg_dump, by pg_restore in a connection of the application role itself. */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Failure } from '../base/errors.ts';
import { findTool, type PostgresBinaries } from '../postgres/binaries.ts';
import type { Server } from '../postgres/connect.ts';
import { runTool, type ToolResult } from '../system/commands.ts';
import type { Given } from './statement-rules.ts';

export interface Archive {
  readonly path: string;
  readonly pgRestore: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Throws a Failure where this installation has no pg_restore, as the one npm brings. */
export function openArchive(path: string, binaries: PostgresBinaries, signal: AbortSignal): Archive {
  const pgRestore = findTool(binaries, 'pg_restore');
  if (pgRestore !== undefined) {
    return {
      path,
      pgRestore,
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', ...binaries.env },
      signal,
    };
  }
  throw new Failure(`cannot import ${path}: it is an archive, and here is no pg_restore to read it`, {
    remedy: `install the package postgresql-client-${binaries.major}, or make the dump as plain SQL (pg_dump -Fp)`,
  });
}

/** What --verbose says of a table's rows, alone and among several jobs. */
const TABLE_DATA = /processing data for table "(.+)"$|launching item \d+ TABLE DATA (.+)$/;
const FLAGS = ['--no-owner', '--no-privileges', '--no-tablespaces'];

/** Has pg_restore write the whole archive as SQL, which finds every cut and damage, and hands that SQL to `read`. */
export async function readArchive<T>(
  archive: Archive,
  onBytes: (bytes: number) => void,
  read: (text: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  const output = new PassThrough({ highWaterMark: 1024 * 1024 });
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer, void, void> {
    // Destroyed on an early end, it would leave the tool waiting for a reader.
    for await (const chunk of output.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      onBytes(bytes);
      yield chunk;
    }
  };
  const running = runTool([archive.pgRestore, ...FLAGS, '--file=-', archive.path], {
    env: archive.env,
    signal: archive.signal,
    output,
  }).then((result) => {
    output.end();
    return result;
  });
  const reading = read(counted()).then(
    (value) => ({ value }),
    (error: unknown) => {
      // The tool writes on into nothing, so that it ends and is not left behind.
      output.resume();
      output.on('error', () => undefined);
      return { error };
    },
  );
  const [result, outcome] = await Promise.all([running, reading]);
  if (result.failed) throw unreadable(archive, result);
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

export interface ParallelRestore {
  /** Connections; an archive in tar format has no parallel restore. */
  readonly jobs: number;
  /** A folder for a file that lives as long as the restore. */
  readonly listDir: string;
  /** What is in the database already, and is left out. */
  readonly given?: Given | undefined;
}

/** Restores everything into `database`. `onTable` is called when the rows of one more table begin to be put in. */
export async function restoreArchive(
  archive: Archive,
  server: Server,
  database: string,
  { jobs, listDir, given }: ParallelRestore,
  onTable: (table: string) => void,
): Promise<void> {
  const listFile = join(listDir, `list-${randomBytes(4).toString('hex')}`);
  const list = await runTool([archive.pgRestore, '--list', archive.path], {
    env: archive.env,
    signal: archive.signal,
    keep: 256 * 1024 ** 2,
  });
  if (list.failed) throw unreadable(archive, list);
  writeFileSync(listFile, withoutGivens(list.stdout, given), { mode: 0o600 });
  try {
    const result = await runTool(
      [
        archive.pgRestore,
        '--exit-on-error',
        ...FLAGS,
        ...(jobs > 1 ? [`--jobs=${jobs}`] : []),
        `--use-list=${listFile}`,
        '--verbose',
        `--host=${server.socketDir}`,
        `--port=${server.port}`,
        `--username=${server.appUser}`,
        '--no-password',
        `--dbname=${connectionString(database)}`,
        archive.path,
      ],
      {
        env: {
          ...archive.env,
          PGPASSWORD: server.appPassword,
          PGAPPNAME: 'bulkhead import',
          // Nothing has to be durable before the rename, whose commit waits for all that was written before it.
          PGOPTIONS: '-c synchronous_commit=off',
        },
        signal: archive.signal,
        onLine: (line) => {
          const table = TABLE_DATA.exec(line);
          if (table) onTable(table[1] ?? `public.${table[2]}`);
        },
      },
    );
    if (!result.failed) return;
    throw new Failure(`cannot import ${archive.path}: ${errorLines(result)}`, {
      remedy: /permission denied|must be superuser|must be owner/.test(result.stderr)
        ? 'the dump needs rights of a superuser, and the application role has none: leave that object out when dumping, or set `import: { trusted: true }` if you trust the dump like code'
        : 'nothing was changed; make the dump anew with pg_dump',
    });
  } finally {
    rmSync(listFile, { force: true });
  }
}

/** Entries of what every new database has already: the schema public, and pg_dump 10's comment on plpgsql. */
function withoutGivens(list: string, given: Given | undefined): string {
  const extensions = new Set(['plpgsql', ...(given?.extensions ?? [])]);
  const schemas = new Set(['public', ...(given?.schemas ?? [])]);
  return list
    .split('\n')
    .filter((line) => {
      const entry = / (SCHEMA|EXTENSION|COMMENT) - (?:(EXTENSION) )?(.+?) [^ ]*$/.exec(line);
      if (!entry) return true;
      const [, kind, of, name = ''] = entry;
      if (kind === 'SCHEMA') return !schemas.has(name);
      return !((kind === 'EXTENSION' || of === 'EXTENSION') && extensions.has(name));
    })
    .join('\n');
}

function unreadable(archive: Archive, result: ToolResult): Failure {
  const newer = /unsupported version \(([\d.]+)\)/.exec(result.stderr)?.[1];
  if (newer !== undefined) {
    return new Failure(
      `cannot import ${archive.path}: the archive is of format ${newer}, newer than this pg_restore reads`,
      {
        remedy:
          'use an image with the PostgreSQL the dump was made with or a newer one, or dump as plain SQL (pg_dump -Fp)',
      },
    );
  }
  return new Failure(
    `cannot import ${archive.path}: the archive is cut off or damaged: ${errorLines(result)}`,
    {
      remedy: 'copy or make the dump again; nothing was changed',
    },
  );
}

function errorLines(result: ToolResult): string {
  // Killed: what it said before, as the name of a table with `error` in it, was no reason.
  if (result.signal !== undefined) return result.message ?? `pg_restore was killed by ${result.signal}`;
  const lines = result.stderr.split('\n').filter((line) => /error|could not|ERROR|DETAIL|fatal/i.test(line));
  return (
    lines
      .slice(0, 3)
      .map((line) => line.replace(/^pg_restore: (?:error: |fatal: )?/, '').trim())
      .join('; ') ||
    (result.message ?? 'pg_restore failed')
  );
}

/** A name with `=` or `://` would be taken for a connection string, so it always is one. */
function connectionString(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
