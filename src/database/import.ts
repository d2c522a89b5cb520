/** The program `import`: what `bulkhead db import FILE` asks for beside a living supervisor. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { codeOf, Failure } from '../base/errors.ts';
import { importDump, importInPlace } from '../dumps/import-dump.ts';
import {
  databaseExists,
  dropDatabase,
  dropScratches,
  hasNoRelations,
  isEmptyDatabase,
  lockDatabases,
} from '../postgres/app-database.ts';
import { connectAsApp, connectAsSuperuser, serverOf } from '../postgres/connect.ts';
import { ensureLedger } from '../postgres/ledger.ts';
import type { Job } from '../program/job.ts';
import { CommandExit } from '../protocol/exit-codes.ts';

/** Input: `file`, and `mode` = `replace` where a database that holds something shall make room; an empty one does. */
export async function runImport(job: Job): Promise<void> {
  const { file, mode } = job.assignment.input;
  if (file === undefined || file === '') {
    throw new Failure('cannot import: no file was named', { exitCode: CommandExit.usage });
  }
  requireFile(file);
  if (job.plan.external) return importOutside(job, file, mode);
  const server = serverOf(job.assignment, job.plan);
  const session = await connectAsSuperuser(server);
  try {
    await lockDatabases(session);
    await ensureLedger(session);
    const exists = await databaseExists(session, job.plan.name);
    if (exists && mode !== 'replace' && !(await isEmptyDatabase(server, job.plan.name))) {
      throw new Failure(
        `cannot import ${file}: the database ${job.plan.name} is there already, with tables`,
        {
          remedy: `\`bulkhead db import --replace ${file}\` puts the dump in its place; what is there now is kept under another name`,
          exitCode: CommandExit.refused,
        },
      );
    }
    await dropScratches(session, job.plan.name);
    const imported = await importDump({
      job,
      server,
      session,
      path: resolve('/', file),
      replace: exists,
      replaceOthers: mode === 'replace',
    });
    const kept = await keepUnlessEmpty(imported.kept);
    if (kept !== undefined) job.say(`the database that was there is now ${kept}`);
    job.report({ type: 'result', value: { file, ...imported, kept } });
  } finally {
    await session.end();
  }

  /** Looked at only now: the application could have filled it up to the moment it was replaced. */
  async function keepUnlessEmpty(replaced: string | undefined): Promise<string | undefined> {
    if (replaced === undefined || !(await isEmptyDatabase(server, replaced))) return replaced;
    await dropDatabase(session, replaced);
    return undefined;
  }
}

/** Into a server that is not ours: only where nothing is in the way, for nothing there is ours to rename or drop. */
async function importOutside(job: Job, file: string, mode: string | undefined): Promise<void> {
  const { takeSharedLock } = await import('./shared-lock.ts');
  const server = serverOf(job.assignment, job.plan);
  await using _lock = await takeSharedLock(job, server);
  const session = await connectAsApp(server, job.plan.name);
  try {
    if (mode === 'replace' || !(await hasNoRelations(session))) {
      const [cause, remedy] =
        mode === 'replace'
          ? ['that database is not ours to replace', 'import into an empty one, without --replace']
          : [
              `the database ${job.plan.name} has tables already`,
              'name an empty one in DATABASE_URL, or empty it there',
            ];
      throw new Failure(`cannot import ${file}: ${cause}`, { remedy, exitCode: CommandExit.refused });
    }
    const imported = await importInPlace({ job, server, session, path: resolve('/', file) });
    job.report({ type: 'result', value: { file, ...imported } });
  } finally {
    await session.end();
  }
}

/** Before anything is asked of the server: a mistyped name is the most common mistake of all. */
function requireFile(file: string): void {
  try {
    statSync(resolve('/', file));
  } catch (cause) {
    // What is there but closed to us is told with its own remedy when it is read.
    if (codeOf(cause) !== 'ENOENT' && codeOf(cause) !== 'ENOTDIR') return;
    throw new Failure(`cannot import ${file}: there is no such file`, {
      remedy:
        'name a file where the supervisor runs: in a container a path in it, e.g. /data/import/dump.sql',
      cause,
    });
  }
}
