/** A dump as an archive of pg_dump: custom, directory or tar. */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatSize } from '../base/size.ts';
import { findBinaries } from '../postgres/binaries.ts';
import { connectAsApp } from '../postgres/connect.ts';
import { findCluster } from '../postgres/find-cluster.ts';
import { layoutOf } from '../postgres/layout.ts';
import { readMachineSize } from '../postgres/machine-size.ts';
import { formatRows, tellProgress } from '../program/progress.ts';
import { type Dump, type DumpSource, finishRestore } from './dump.ts';
import type { DumpFormat } from './dump-format.ts';
import { inspectSql, type SqlFacts } from './inspect-sql.ts';
import { openArchive, readArchive, restoreArchive } from './restore-archive.ts';
import { restoreText } from './sql-dump.ts';

export async function openArchiveDump(
  source: DumpSource,
  format: DumpFormat & { readonly kind: 'archive' },
): Promise<Dump> {
  const { job, server, path, context } = source;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const binaries = findBinaries({
    major: findCluster(layout)?.major,
    libraryDir: join(layout.sockets, 'lib'),
  });
  const archive = openArchive(path, binaries, job.signal);
  const digest = await hashTree(path, job.signal);

  /** For what pg_restore would do in an order that only a superuser gets through. */
  const restoreAsText = (database: string, facts: SqlFacts): Promise<number> => {
    const progress = tellProgress(`importing ${path}`, job.report);
    let done = 0;
    return readArchive(
      archive,
      (bytes) => {
        done = bytes;
      },
      (text) =>
        restoreText(source, database, facts, text, (rows) =>
          progress.tell(
            done,
            facts.bytes,
            `${formatRows(rows)}, ${formatSize(done)} of ${formatSize(facts.bytes)}`,
          ),
        ),
    );
  };

  const restoreInParallel = async (database: string, facts: SqlFacts): Promise<number> => {
    const progress = tellProgress(`importing ${path}`, job.report);
    const jobs = format.shape === 'tar' ? 1 : Math.min(4, readMachineSize(job.assignment.dataDir).cpus);
    const total = facts.tables.size;
    let tables = 0;
    await restoreArchive(archive, server, database, { jobs, listDir: layout.rendered }, () => {
      tables += 1;
      progress.tell(Math.min(tables, total), total, `table ${tables} of ${total}`);
    });
    const app = await connectAsApp(server, database);
    try {
      const expected = [...facts.tables].map(([name, rows]) => ({ table: name, name, expected: rows }));
      await finishRestore(source, app, expected, []);
    } finally {
      await app.end();
    }
    return facts.rows;
  };

  return {
    format,
    sha256: () => digest,
    inspect: () => {
      const progress = tellProgress(`checking ${path}`, job.report);
      return readArchive(
        archive,
        (bytes) => progress.tell(bytes, 0, `${formatSize(bytes)} of SQL`),
        (text) => inspectSql(text, { name: path, context, needsTrailer: false }),
      );
    },
    restore: (database, facts) => (facts.defers ? restoreAsText : restoreInParallel)(database, facts),
  };
}

/** Of a folder: the hash over the names and contents of its files, in order. */
async function hashTree(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const isFolder = statSync(path).isDirectory();
  for (const name of isFolder ? readdirSync(path).sort() : ['']) {
    if (isFolder) hash.update(`${name}\0`);
    for await (const chunk of createReadStream(join(path, name), { highWaterMark: 1024 * 1024, signal })) {
      hash.update(chunk);
    }
  }
  return hash.digest('hex');
}
