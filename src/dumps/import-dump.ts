/** From a file to a database: read it once, fill a scratch database, count, and rename it in with its ledger row. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { formatDuration } from '../base/duration.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { createScratch, dropDatabase, renameIn, swapIn } from '../postgres/app-database.ts';
import type { Server, Session } from '../postgres/connect.ts';
import type { LedgerEntry } from '../postgres/ledger.ts';
import type { Job } from '../program/job.ts';
import { formatRows } from '../program/progress.ts';
import { openArchiveDump } from './archive-dump.ts';
import type { Dump, DumpSource } from './dump.ts';
import { type DumpFormat, detectFormat, nameFormat } from './dump-format.ts';
import type { SqlFacts } from './inspect-sql.ts';
import { makeMissingRoles, requireDisk, requireExtensions } from './prepare-import.ts';
import { openSqlDump } from './sql-dump.ts';

export interface ImportRequest {
  readonly job: Job;
  readonly server: Server;
  /** Of the superuser, in the maintenance database, holding the lock. */
  readonly session: Session;
  readonly path: string;
  /** Put it in the place of a database that is there; that one is kept under another name. */
  readonly replace: boolean;
}

export interface Imported {
  readonly rows: number;
  readonly tables: number;
  readonly durationMs: number;
  /** The name of the database that was replaced. */
  readonly kept: string | undefined;
}

/** Either the whole dump is the application's database afterwards, or nothing has changed. */
export async function importDump(request: ImportRequest): Promise<Imported> {
  const { job, session, path } = request;
  const began = performance.now();
  const dump = await openDump(request);
  const facts = await dump.inspect();
  await prepare(request, facts);
  const scratch = await createScratch(session, job.plan.name, job.plan.user, 'imp');
  try {
    const rows = await dump.restore(scratch, facts);
    job.signal.throwIfAborted();
    const durationMs = Math.round(performance.now() - began);
    const entry = describeImport(request, dump, { rows, tables: facts.tables.size, durationMs });
    const kept = await publish(request, scratch, entry);
    const what = `${nameFormat(dump.format)}, ${formatSize(facts.bytes)} of SQL`;
    const took = formatDuration(durationMs);
    job.report({
      type: 'progress',
      progress: { what: `imported ${basename(path)}`, percent: undefined, detail: formatRows(rows) },
    });
    job.say(`imported ${path} (${what}): ${formatRows(rows)} in ${facts.tables.size} tables in ${took}`);
    return { rows, tables: facts.tables.size, durationMs, kept };
  } catch (error) {
    // Asked to stop there is no time for it, and the next start sweeps.
    if (!job.signal.aborted) {
      await dropDatabase(session, scratch).catch((cause: unknown) =>
        job.say(`cannot drop ${scratch}: ${messageOf(cause)}; the next start does`),
      );
    }
    throw error;
  }
}

async function prepare({ job, session, path }: ImportRequest, facts: SqlFacts): Promise<void> {
  requireDisk(path, job.assignment.dataDir, facts);
  await requireExtensions(session, path, facts);
  const roles = await makeMissingRoles(session, facts);
  if (roles.length === 0) return;
  job.note(`made the roles ${roles.join(', ')} without login, because the dump grants rights to them`);
}

async function publish(
  request: ImportRequest,
  scratch: string,
  entry: LedgerEntry,
): Promise<string | undefined> {
  const { job, server, session } = request;
  if (request.replace) return swapIn(session, server, scratch, job.plan.name, entry);
  await renameIn(session, scratch, job.plan.name, entry);
  return undefined;
}

function describeImport(
  { job, path }: ImportRequest,
  dump: Dump,
  numbers: { readonly rows: number; readonly tables: number; readonly durationMs: number },
): LedgerEntry {
  const { size, mtimeMs } = statSync(path);
  const { name: database, user } = job.plan;
  return {
    kind: 'import',
    sha256: dump.sha256(),
    detail: { database, user, file: path, size, mtimeMs, format: nameFormat(dump.format), ...numbers },
  };
}

async function openDump({ job, server, session, path }: ImportRequest): Promise<Dump> {
  const format = readFormat(path);
  const { rows } = await session.query<{ version: string }>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  const context = {
    appUser: job.plan.user,
    database: job.plan.name,
    serverVersion: Number(rows[0]?.version),
  };
  const source: DumpSource = { job, server, path, context };
  if (format.kind === 'sql') return openSqlDump(source, format);
  if (format.kind === 'archive') return openArchiveDump(source, format);
  const what = format.kind === 'unreadable' ? `it is ${format.what}` : 'there is nothing in it';
  throw new Failure(`cannot import ${path}: ${what}`, {
    remedy: 'give it a dump that pg_dump made: plain SQL (also .gz, .zst), custom, directory or tar',
  });
}

function readFormat(path: string): DumpFormat {
  try {
    return detectFormat(path);
  } catch (cause) {
    throw new Failure(`cannot read ${path}: ${messageOf(cause)}`, {
      remedy: `make it readable for uid ${process.geteuid?.() ?? 0}, e.g. chmod a+r`,
      cause,
    });
  }
}
