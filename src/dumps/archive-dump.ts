/** A dump as an archive of pg_dump: custom, directory or tar. */
import { join } from 'node:path';
import { formatSize } from '../base/size.ts';
import { findBinaries } from '../postgres/binaries.ts';
import { connectAsApp } from '../postgres/connect.ts';
import { layoutOf } from '../postgres/layout.ts';
import { readMachineSize } from '../postgres/machine-size.ts';
import { readableName } from '../postgres/sql-text.ts';
import { formatRows, tellProgress } from '../program/progress.ts';
import { requireReadable } from './archive-version.ts';
import { type Dump, type DumpSource, finishRestore } from './dump.ts';
import type { DumpFormat } from './dump-format.ts';
import { hashDump } from './hash-dump.ts';
import { inspectSql } from './inspect-sql.ts';
import type { SqlFacts } from './inspection.ts';
import { requireWholeTar } from './require-whole-tar.ts';
import { openArchive, readArchive, restoreArchive } from './restore-archive.ts';
import { restoreText } from './sql-dump.ts';
import type { Given } from './statement-rules.ts';

export function openArchiveDump(source: DumpSource, format: DumpFormat & { readonly kind: 'archive' }): Dump {
  const { job, server, path, context } = source;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const binaries = findBinaries({
    // As the server: a newer pg_restore says things that an older server does not know.
    major: Math.floor(context.serverVersion / 10_000),
    libraryDir: join(layout.sockets, 'lib'),
  });
  requireReadable(path, format.version, binaries.major);
  if (format.shape === 'tar') requireWholeTar(path);
  const archive = openArchive(path, binaries, job.signal);
  let digest = '';

  /** For what pg_restore would do in an order, or with rights, that only a superuser has. */
  const restoreAsText = (database: string, facts: SqlFacts, given: Given | undefined): Promise<number> => {
    const progress = tellProgress(`importing ${path}`, job.report, job.say);
    let done = 0;
    const onRows = (rows: number): void =>
      progress.tell(
        done,
        facts.bytes,
        `${formatRows(rows)}, ${formatSize(done)} of ${formatSize(facts.bytes)}`,
      );
    return readArchive(
      archive,
      (bytes) => {
        done = bytes;
      },
      (text) => restoreText(source, { database, facts, given, text, onRows }),
    );
  };

  const restoreInParallel = async (
    database: string,
    facts: SqlFacts,
    given: Given | undefined,
  ): Promise<number> => {
    const progress = tellProgress(`importing ${path}`, job.report, job.say);
    const jobs = format.shape === 'tar' ? 1 : Math.min(4, readMachineSize(job.assignment.dataDir).cpus);
    const sizes = new Map([...facts.tables].map(([name, rows]) => [readableName(name), rows]));
    let begun = 0;
    let rows = 0;
    await restoreArchive(archive, server, database, { jobs, listDir: layout.rendered, given }, (table) => {
      begun += 1;
      const told = `table ${Math.min(begun, sizes.size)} of ${sizes.size}, ${formatRows(rows)} before it`;
      progress.tell(rows, facts.rows, told);
      rows += sizes.get(table) ?? 0;
    });
    const app = await connectAsApp(server, database);
    try {
      const expected = [...facts.tables].map(([name, count]) => ({ table: name, name, expected: count }));
      await finishRestore(source, app, expected, []);
    } finally {
      await app.end();
    }
    return facts.rows;
  };

  return {
    format,
    sha256: () => digest,
    inspect: async () => {
      digest = await hashDump(path, job.signal);
      const progress = tellProgress(`checking ${path}`, job.report, job.say);
      return readArchive(
        archive,
        (bytes) => progress.tell(bytes, 0, `${formatSize(bytes)} of SQL`),
        (text) => inspectSql(text, { name: path, context, needsTrailer: false }),
      );
    },
    restore: (database, facts, given) => {
      const asText = facts.defers || context.trusted === true || source.inPlace !== undefined;
      return (asText ? restoreAsText : restoreInParallel)(database, facts, given);
    },
    // pg_dumpall writes plain text only.
    restoreCluster: () => Promise.resolve(0),
  };
}
