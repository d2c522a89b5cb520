/** From a file to a database: read it once, fill a scratch database, count, and rename it in with its ledger row. */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '../base/duration.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { createScratch, dropDatabase, renameIn, swapIn } from './app-database.ts';
import { findCluster } from './cluster.ts';
import { connectAsApp, type Server, type Session } from './connect.ts';
import { decodeDump } from './decode-dump.ts';
import { type DumpFormat, detectFormat, nameFormat } from './dump-format.ts';
import { inspectSql, type SqlFacts } from './inspect-sql.ts';
import type { Job } from './job.ts';
import { layoutOf } from './layout.ts';
import type { LedgerEntry } from './ledger.ts';
import { readMachineSize } from './machine-size.ts';
import { findBinaries } from './postgres-binaries.ts';
import { makeMissingRoles, requireDisk, requireExtensions } from './prepare-import.ts';
import { formatRows, tellProgress } from './progress.ts';
import { type Archive, inspectArchive, openArchive, restoreArchive } from './restore-archive.ts';
import { restoreSql } from './restore-sql.ts';
import type { RuleContext } from './statement-rules.ts';
import { type ExpectedRows, verifyRows } from './verify-rows.ts';

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
  const { job, server, session, path } = request;
  const { name: database, user } = job.plan;
  const began = performance.now();
  const dump = await openDump(request);
  const before = statSync(path);
  const facts = await dump.inspect();
  requireDisk(path, job.assignment.dataDir, facts);
  await requireExtensions(session, path, facts);
  const roles = await makeMissingRoles(session, facts);
  if (roles.length > 0)
    job.note(`made the roles ${roles.join(', ')} without login, because the dump grants rights to them`);

  const scratch = await createScratch(session, database, user, 'imp');
  try {
    const restored = await dump.restore(scratch, facts);
    const durationMs = Math.round(performance.now() - began);
    const entry: LedgerEntry = {
      kind: 'import',
      sha256: dump.sha256(),
      detail: {
        database,
        user,
        file: path,
        size: before.size,
        mtimeMs: before.mtimeMs,
        format: nameFormat(dump.format),
        rows: restored.rows,
        tables: facts.tables.size,
        durationMs,
      },
    };
    if (job.signal.aborted) throw new Failure(`cannot import ${path}: asked to stop`);
    const kept = request.replace
      ? await swapIn(session, server, scratch, database, entry)
      : (await renameIn(session, scratch, database, entry), undefined);
    job.say(
      `imported ${path} (${nameFormat(dump.format)}, ${formatSize(facts.bytes)} of SQL): ${formatRows(restored.rows)} in ${facts.tables.size} tables in ${formatDuration(durationMs)}`,
    );
    return { rows: restored.rows, tables: facts.tables.size, durationMs, kept };
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

interface Dump {
  readonly format: DumpFormat;
  inspect(): Promise<SqlFacts>;
  restore(database: string, facts: SqlFacts): Promise<{ readonly rows: number }>;
  sha256(): string;
}

async function openDump(request: ImportRequest): Promise<Dump> {
  const { path } = request;
  const format = readFormat(path);
  const { rows } = await request.session.query<{ version: string }>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  const context: RuleContext = {
    appUser: request.job.plan.user,
    database: request.job.plan.name,
    serverVersion: Number(rows[0]?.version),
  };
  if (format.kind === 'sql') return sqlDump(request, format, context);
  if (format.kind === 'archive') return archiveDump(request, format, context);
  throw new Failure(
    `cannot import ${path}: ${format.kind === 'unreadable' ? `it is ${format.what}` : 'there is nothing in it'}`,
    { remedy: 'give it a dump that pg_dump made: plain SQL (also .gz, .zst), custom, directory or tar' },
  );
}

function sqlDump(request: ImportRequest, format: DumpFormat & { kind: 'sql' }, context: RuleContext): Dump {
  const { job, server, path } = request;
  const size = statSync(path).size;
  let digest = '';
  const read = (onRaw: (chunk: Buffer) => void) =>
    decodeDump(path, { compression: format.compression, signal: job.signal, onRaw });
  return {
    format,
    sha256: () => digest,
    inspect: async () => {
      const hash = createHash('sha256');
      const progress = tellProgress(`checking ${path}`, job.report);
      let done = 0;
      const facts = await inspectSql(
        read((chunk) => {
          hash.update(chunk);
          done += chunk.length;
          progress.tell(done, size, `${formatSize(done)} of ${formatSize(size)}`);
        }),
        { name: path, context, needsTrailer: true },
      );
      digest = hash.digest('hex');
      return facts;
    },
    restore: async (database, facts) => {
      const app = await connectAsApp(server, database);
      const stop = (): void => {
        app.connection.stream.destroy();
      };
      job.signal.addEventListener('abort', stop, { once: true });
      try {
        // Nothing has to be durable before the rename, whose commit waits for all that was written before it.
        await app.query('SET synchronous_commit = off');
        const progress = tellProgress(`importing ${path}`, job.report);
        let done = 0;
        const restored = await restoreSql(
          app,
          read((chunk) => {
            done += chunk.length;
          }),
          {
            name: path,
            context: { ...context, database },
            onRows: (rows) =>
              progress.tell(done, size, `${formatRows(rows)}, ${formatSize(done)} of ${formatSize(size)}`),
          },
        );
        for (const [why, count] of restored.skipped) job.say(`left out of the dump: ${count} × ${why}`);
        const copied = [...restored.tables.values()].reduce((sum, { expected }) => sum + expected, 0);
        if (copied !== facts.rows && restored.tables.size === facts.tables.size) {
          throw new Failure(`cannot import ${path}: the server took ${copied} rows of ${facts.rows}`, {
            remedy: 'nothing was changed; did the file change while it was read?',
          });
        }
        await verify(
          app,
          [...restored.tables].map(([oid, { name, expected }]) => ({ table: oid, name, expected })),
        );
        return { rows: restored.rows };
      } finally {
        job.signal.removeEventListener('abort', stop);
        await app.end();
      }
    },
  };

  async function verify(app: Session, expected: readonly ExpectedRows[]): Promise<void> {
    await verifyAndAnalyze(request, app, expected);
  }
}

async function archiveDump(
  request: ImportRequest,
  format: DumpFormat & { kind: 'archive' },
  context: RuleContext,
): Promise<Dump> {
  const { job, server, path } = request;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const major = findCluster(layout)?.major;
  const binaries = findBinaries({ major, libraryDir: join(layout.sockets, 'lib') });
  const archive: Archive = openArchive(path, path, binaries, job.signal);
  const digest = await hashTree(path, job.signal);
  return {
    format,
    sha256: () => digest,
    inspect: async () => {
      const progress = tellProgress(`checking ${path}`, job.report);
      return inspectArchive(archive, { name: path, context, needsTrailer: false }, (bytes) =>
        progress.tell(bytes, 0, `${formatSize(bytes)} of SQL`),
      );
    },
    restore: async (database, facts) => {
      const progress = tellProgress(`importing ${path}`, job.report);
      const jobs = format.shape === 'tar' ? 1 : Math.min(4, readMachineSize(job.assignment.dataDir).cpus);
      let tables = 0;
      await restoreArchive(archive, server, database, jobs, layout.rendered, (line) => {
        if (!/processing data for table|finished item \d+ TABLE DATA/.test(line)) return;
        tables += 1;
        progress.tell(
          Math.min(tables, facts.tables.size),
          facts.tables.size,
          `table ${tables} of ${facts.tables.size}`,
        );
      });
      const app = await connectAsApp(server, database);
      try {
        await verifyAndAnalyze(
          request,
          app,
          [...facts.tables].map(([table, expected]) => ({ table, name: table, expected })),
        );
      } finally {
        await app.end();
      }
      return { rows: facts.rows };
    },
  };
}

async function verifyAndAnalyze(
  { job, path }: ImportRequest,
  app: Session,
  expected: readonly ExpectedRows[],
): Promise<void> {
  job.report({
    type: 'progress',
    progress: { what: `verifying ${path}`, percent: undefined, detail: `${expected.length} tables` },
  });
  const uncounted = await verifyRows(app, path, expected);
  if (uncounted.length > 0) job.say(`could not count the rows of ${uncounted.join(', ')}`);
  await app.query('ANALYZE');
}

function readFormat(path: string): DumpFormat {
  try {
    return detectFormat(path);
  } catch (cause) {
    const uid = process.geteuid?.() ?? 0;
    throw new Failure(`cannot read ${path}: ${messageOf(cause)}`, {
      remedy: `make it readable for uid ${uid}, e.g. chmod a+r`,
      cause,
    });
  }
}

/** Of a folder: the hash over the names and contents of its files, in order. */
async function hashTree(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .map((name) => join(path, name))
    : [path];
  for (const file of files) {
    if (files.length > 1) hash.update(`${file.slice(path.length)}\0`);
    for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024, signal }))
      hash.update(chunk);
  }
  return hash.digest('hex');
}
