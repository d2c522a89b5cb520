/** A dump as plain SQL, compressed or not: over the wire protocol, in a session of the application role. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { connectAsApp, type Session } from '../postgres/connect.ts';
import { formatRows, tellProgress } from '../program/progress.ts';
import { ClusterRun } from './cluster-run.ts';
import { decodeDump } from './decode-dump.ts';
import { type Dump, type DumpSource, finishRestore, openImportSession } from './dump.ts';
import type { DumpFormat } from './dump-format.ts';
import { inspectSql } from './inspect-sql.ts';
import type { SqlFacts } from './inspection.ts';
import { requireAllTaken } from './require-all-taken.ts';
import { restoreSql, splitInto } from './restore-sql.ts';
import type { SqlRestored } from './sql-run.ts';
import type { Given } from './statement-rules.ts';
import type { ExpectedRows } from './verify-rows.ts';

export function openSqlDump(source: DumpSource, format: DumpFormat & { readonly kind: 'sql' }): Dump {
  const { job, path, context } = source;
  const { size } = statSync(path);
  let digest = '';
  const read = (onRaw: (chunk: Buffer) => void): AsyncIterable<Buffer> =>
    decodeDump(path, { compression: format.compression, signal: job.signal, onRaw });
  /** Text and what tells the progress of its rows. */
  const begin = (): { text: AsyncIterable<Buffer>; onRows: (rows: number) => void } => {
    const progress = tellProgress(`importing ${path}`, job.report, job.say);
    let done = 0;
    const text = read((chunk) => {
      done += chunk.length;
    });
    return {
      text,
      onRows: (rows) =>
        progress.tell(done, size, `${formatRows(rows)}, ${formatSize(done)} of ${formatSize(size)}`),
    };
  };
  return {
    format,
    sha256: () => digest,
    inspect: async () => {
      const hash = createHash('sha256');
      const progress = tellProgress(`checking ${path}`, job.report, job.say);
      let done = 0;
      const text = read((chunk) => {
        hash.update(chunk);
        done += chunk.length;
        progress.tell(done, size, `${formatSize(done)} of ${formatSize(size)}`);
      });
      const trustsIncomplete = job.plan.importTrustsIncomplete === true;
      const facts = await inspectSql(text, { name: path, context, needsTrailer: true, trustsIncomplete });
      digest = hash.digest('hex');
      return facts;
    },
    restore: async (database, facts, given) => {
      const { text, onRows } = begin();
      return restoreText(source, { database, facts, given, text, onRows });
    },
    restoreCluster: async (targets) => {
      const { text, onRows } = begin();
      const run = new ClusterRun(source, targets, onRows);
      try {
        return await run.finish(await splitInto(text, (piece) => run.take(piece)));
      } catch (error) {
        run.abort(error instanceof Error ? error : new Error(messageOf(error)));
        throw error;
      } finally {
        await run.end();
      }
    },
  };
}

export interface TextRestore {
  readonly database: string;
  readonly facts: SqlFacts;
  readonly given: Given | undefined;
  readonly text: AsyncIterable<Buffer>;
  onRows(rows: number): void;
}

/** Runs the SQL of a dump that was inspected. Resolves to its rows. */
export async function restoreText(source: DumpSource, restore: TextRestore): Promise<number> {
  const { job, server, path, context } = source;
  const { database, facts, given, text, onRows } = restore;
  const session = await openImportSession(server, database, context.trusted === true);
  try {
    if (source.inPlace) await session.query('BEGIN');
    // Nothing has to be durable before the rename, whose commit waits for all that was written before it.
    else await session.query('SET synchronous_commit = off');
    const restored = await restoreSql(session, text, {
      name: path,
      context: { ...context, database, given },
      onRows,
      onElevated: (line, what) => job.say(`line ${line} of ${path} runs as the superuser: ${what}`),
    });
    for (const [why, count] of restored.skipped) job.say(`left out of the dump: ${count} × ${why}`);
    requireAllTaken(path, restored, facts);
    if (source.inPlace) await finishInPlace(source, session, restored, source.inPlace);
    else await finish(source, database, restored);
    return restored.rows;
  } finally {
    await end(session, job.signal);
  }
}

async function finishInPlace(
  source: DumpSource,
  session: Session,
  restored: SqlRestored,
  lastStep: NonNullable<DumpSource['inPlace']>,
): Promise<void> {
  await finishRestore(source, session, expectedRows(restored), restored.deferred);
  await lastStep(session, restored.rows);
  const { command } = await session.query('COMMIT');
  // The server answers COMMIT with ROLLBACK where something had failed unseen.
  if (command === 'COMMIT') return;
  throw new Failure(`cannot import ${source.path}: the server took the whole transaction back`, {
    remedy: 'nothing was changed; make the dump anew with pg_dump',
  });
}

function expectedRows({ tables }: SqlRestored): ExpectedRows[] {
  return [...tables].map(([table, { name, expected }]) => ({ table, name, expected }));
}

async function finish(source: DumpSource, database: string, restored: SqlRestored): Promise<void> {
  const tables = expectedRows(restored);
  const app = await connectAsApp(source.server, database);
  try {
    await finishRestore(source, app, tables, restored.deferred);
  } finally {
    await end(app, source.job.signal);
  }
}

/** Asked to stop, nobody waits for a statement that may take an hour: the server notices the closed connection. */
async function end(session: Session, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await session.end();
}
