/** A dump as plain SQL, compressed or not: over the wire protocol, in a session of the application role. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { connectAsApp, type Session } from '../postgres/connect.ts';
import { formatRows, tellProgress } from '../program/progress.ts';
import { decodeDump } from './decode-dump.ts';
import { type Dump, type DumpSource, finishRestore } from './dump.ts';
import type { DumpFormat } from './dump-format.ts';
import { inspectSql, type SqlFacts } from './inspect-sql.ts';
import { restoreSql } from './restore-sql.ts';

export function openSqlDump(source: DumpSource, format: DumpFormat & { readonly kind: 'sql' }): Dump {
  const { job, path, context } = source;
  const { size } = statSync(path);
  let digest = '';
  const read = (onRaw: (chunk: Buffer) => void): AsyncIterable<Buffer> =>
    decodeDump(path, { compression: format.compression, signal: job.signal, onRaw });
  return {
    format,
    sha256: () => digest,
    inspect: async () => {
      const hash = createHash('sha256');
      const progress = tellProgress(`checking ${path}`, job.report);
      let done = 0;
      const text = read((chunk) => {
        hash.update(chunk);
        done += chunk.length;
        progress.tell(done, size, `${formatSize(done)} of ${formatSize(size)}`);
      });
      const facts = await inspectSql(text, { name: path, context, needsTrailer: true });
      digest = hash.digest('hex');
      return facts;
    },
    restore: async (database, facts) => {
      const progress = tellProgress(`importing ${path}`, job.report);
      let done = 0;
      const text = read((chunk) => {
        done += chunk.length;
      });
      return restoreText(source, database, facts, text, (rows) =>
        progress.tell(done, size, `${formatRows(rows)}, ${formatSize(done)} of ${formatSize(size)}`),
      );
    },
  };
}

/** Runs the SQL of a dump that was inspected. Resolves to its rows. */
export async function restoreText(
  source: DumpSource,
  database: string,
  facts: SqlFacts,
  text: AsyncIterable<Buffer>,
  onRows: (rows: number) => void,
): Promise<number> {
  const { job, server, path, context } = source;
  const app = await connectAsApp(server, database);
  try {
    // Nothing has to be durable before the rename, whose commit waits for all that was written before it.
    await app.query('SET synchronous_commit = off');
    const restored = await restoreSql(app, text, { name: path, context: { ...context, database }, onRows });
    for (const [why, count] of restored.skipped) job.say(`left out of the dump: ${count} × ${why}`);
    const tables = [...restored.tables].map(([table, { name, expected }]) => ({ table, name, expected }));
    const copied = tables.reduce((sum, { expected }) => sum + expected, 0);
    if (restored.tables.size === facts.tables.size && copied !== facts.rows) {
      throw new Failure(
        `cannot import ${path}: the server took ${formatRows(copied)} of ${formatRows(facts.rows)}`,
        {
          remedy: 'nothing was changed; did the file change while it was read?',
        },
      );
    }
    await finishRestore(source, app, tables, restored.deferred);
    return restored.rows;
  } finally {
    await end(app, job.signal);
  }
}

/** Asked to stop, nobody waits for a statement that may take an hour: the server notices the closed connection. */
async function end(app: Session, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await app.end();
}
