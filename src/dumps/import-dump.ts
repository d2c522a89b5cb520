/** From a file to a database: read it once, fill a scratch database, count, and rename it in with its ledger row. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { formatDuration } from '../base/duration.ts';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { createScratch, dropScratches, renameIn, swapIn } from '../postgres/app-database.ts';
import { createExtensions } from '../postgres/extensions.ts';
import { ensureLedger, type LedgerEntry, writeLedger } from '../postgres/ledger.ts';
import { formatRows } from '../program/progress.ts';
import { openArchiveDump } from './archive-dump.ts';
import type { Dump, DumpSource } from './dump.ts';
import { readChecksums, verifyChecksums } from './dump-checksum.ts';
import { type DumpFormat, detectFormat, nameFormat } from './dump-format.ts';
import { importCluster } from './import-cluster.ts';
import type { ImportRequest } from './import-request.ts';
import type { Inspected } from './inspect-sql.ts';
import { givenOf, makeMissingRoles, requireDisk, requireExtensions } from './prepare-import.ts';
import { requireAvailable, requireRoles } from './prepare-in-place.ts';
import { openSqlDump } from './sql-dump.ts';

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
  const known = readChecksums(path);
  const facts = await dump.inspect();
  const isFile = !statSync(path).isDirectory();
  await verifyChecksums(path, known, isFile ? dump.sha256() : undefined, job.signal);
  if (known.length > 0) job.say(`the checksums of ${path} are right`);
  await prepare(request, facts);
  const describe = (rows: number, databases?: readonly string[]): LedgerEntry =>
    describeImport(request, dump, {
      rows,
      tables: facts.tables.size,
      durationMs: Math.round(performance.now() - began),
      ...(databases && { databases }),
    });
  try {
    const done = facts.cluster
      ? await importCluster(request, dump, facts.cluster, describe)
      : await importOne(request, dump, facts, describe);
    const what = `${nameFormat(dump.format)}, ${formatSize(facts.bytes)} of SQL`;
    const durationMs = Math.round(performance.now() - began);
    job.report({
      type: 'progress',
      progress: { what: `imported ${basename(path)}`, percent: undefined, detail: formatRows(done.rows) },
    });
    job.say(
      `imported ${path} (${what}): ${formatRows(done.rows)} in ${facts.tables.size} tables in ${formatDuration(durationMs)}`,
    );
    return { rows: done.rows, tables: facts.tables.size, durationMs, kept: done.kept };
  } catch (error) {
    // Asked to stop there is no time for it, and the next start sweeps.
    if (!job.signal.aborted) {
      await dropScratches(session, job.plan.name).catch((cause: unknown) =>
        job.say(`cannot drop what was imported so far: ${messageOf(cause)}; the next start does`),
      );
    }
    throw explained(error, path);
  }
}

async function importOne(
  { job, server, session, replace, restore, bundle }: ImportRequest,
  dump: Dump,
  facts: Inspected,
  describe: (rows: number) => LedgerEntry,
): Promise<{ rows: number; kept: string | undefined }> {
  const { name, user } = job.plan;
  const scratch = await createScratch(session, name, user, 'imp');
  const given = givenOf(job.plan.extensions ?? [], facts.extensions);
  const made = await createExtensions(server, scratch, user, given.wanted);
  if (made.length > 0) job.say(`made by the superuser, as the plan allows: ${made.join(', ')}`);
  const rows = await dump.restore(scratch, facts, given);
  await (restore ?? bundle)?.verify(scratch);
  job.signal.throwIfAborted();
  const entry = describe(rows);
  if (replace) return { rows, kept: await swapIn(session, server, scratch, name, entry) };
  await renameIn(session, scratch, name, entry);
  return { rows, kept: undefined };
}

/**
 * Where the database is not ours to make and to rename: into the empty one there is, in one transaction that ends with
 * its ledger row. A scratch database beside it would want CREATEDB, and the rename would lose what its owner has set
 * on the one he made: grants, settings, the pooler's entry. Either all of it is there afterwards, or nothing.
 * @param request its session is the application's, in that database
 */
export async function importInPlace(request: Omit<ImportRequest, 'replace'>): Promise<Imported> {
  const { job, session, path } = request;
  const began = performance.now();
  let facts: Inspected | undefined;
  const dump = await openDump(request, async (app, rows) => {
    const durationMs = Math.round(performance.now() - began);
    await ensureLedger(app);
    const tables = facts?.tables.size ?? 0;
    await writeLedger(app, describeImport(request, dump, { rows, tables, durationMs }));
  });
  facts = await dump.inspect();
  if (facts.cluster) {
    throw new Failure(
      `cannot import ${path}: it is the dump of a whole cluster, and that server is not ours`,
      {
        remedy: `dump the one database: pg_dump ${job.plan.name}`,
      },
    );
  }
  await requireAvailable(session, path, facts);
  await requireRoles(session, path, facts);
  const rows = await dump.restore(job.plan.name, facts, undefined);
  const durationMs = Math.round(performance.now() - began);
  job.report({
    type: 'progress',
    progress: { what: `imported ${basename(path)}`, percent: undefined, detail: formatRows(rows) },
  });
  job.say(
    `imported ${path} into ${job.plan.name}: ${formatRows(rows)} in ${facts.tables.size} tables in ${formatDuration(durationMs)}`,
  );
  return { rows, tables: facts.tables.size, durationMs, kept: undefined };
}

async function prepare({ job, session, path }: ImportRequest, facts: Inspected): Promise<void> {
  requireDisk(path, job.assignment.dataDir, facts);
  await requireExtensions(session, path, facts, {
    given: job.plan.extensions ?? [],
    trusted: job.plan.importTrusted === true,
  });
  // A cluster's dump brings its own, and they are made with it.
  if (facts.cluster) return;
  const roles = await makeMissingRoles(session, facts);
  if (roles.length === 0) return;
  job.note(`made the roles ${roles.join(', ')} without login, because the dump grants rights to them`);
}

function describeImport(
  { job, path, restore, bundle }: Omit<ImportRequest, 'replace'>,
  dump: Dump,
  numbers: Pick<LedgerEntry['detail'], 'rows' | 'tables' | 'durationMs' | 'databases'>,
): LedgerEntry {
  const { size, mtimeMs } = statSync(path);
  const { name: database, user } = job.plan;
  return {
    kind: restore ? 'restore' : 'import',
    sha256: bundle?.sha256 ?? dump.sha256(),
    detail: {
      database,
      user,
      file: path,
      size,
      mtimeMs,
      format: nameFormat(dump.format),
      ...numbers,
      ...restore?.detail,
      ...bundle?.detail,
    },
  };
}

async function openDump(
  { job, server, session, path }: Omit<ImportRequest, 'replace'>,
  inPlace?: DumpSource['inPlace'],
): Promise<Dump> {
  const format = readFormat(path);
  const { rows } = await session.query<{ version: string }>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  const context = {
    appUser: job.plan.user,
    database: job.plan.name,
    serverVersion: Number(rows[0]?.version),
    // On a server that is not ours nobody is a superuser.
    trusted: job.plan.importTrusted === true && inPlace === undefined,
    inTransaction: inPlace !== undefined,
  };
  const source: DumpSource = { job, server, path, context, ...(inPlace === undefined ? {} : { inPlace }) };
  if (format.kind === 'sql') return openSqlDump(source, format);
  if (format.kind === 'archive') return openArchiveDump(source, format);
  const what = format.kind === 'unreadable' ? `it is ${format.what}` : 'there is nothing in it';
  throw new Failure(`cannot import ${path}: ${what}`, {
    remedy:
      'give it a dump that pg_dump made: plain SQL (also .gz, .zst, .xz, .bz2), custom, directory or tar',
  });
}

/** A server that went away says little of why; a full disk says it in many ways. */
function explained(error: unknown, path: string): unknown {
  const cause = error instanceof Failure ? (error.cause ?? error) : error;
  const full = codeOf(cause) === '53100' || /No space left on device/i.test(messageOf(error));
  if (full) {
    return new Failure(`cannot import ${path}: the disk is full (${messageOf(cause)})`, {
      remedy: 'free space on the volume, then start again; nothing was changed',
      cause: error,
    });
  }
  const gone = /Connection terminated|ECONNRESET|EPIPE|server closed the connection|terminating connection/i;
  if (!gone.test(messageOf(error))) return error;
  return new Failure(`cannot import ${path}: the connection to the database was cut (${messageOf(cause)})`, {
    remedy: 'nothing was changed; see why in `bulkhead logs database`, then start again',
    cause: error,
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
