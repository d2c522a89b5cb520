/** The program `import`: what `bulkhead db import FILE` asks for beside a living supervisor. */
import { resolve } from 'node:path';
import { Failure } from '../base/errors.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { databaseExists, dropScratches, lockDatabases } from './app-database.ts';
import { connectAsSuperuser, serverOf } from './connect.ts';
import { importDump } from './import-dump.ts';
import type { Job } from './job.ts';
import { ensureLedger } from './ledger.ts';

/** Input: `file`, and `mode` = `replace` where a database that is there shall make room. */
export async function runImport(job: Job): Promise<void> {
  const { file, mode } = job.assignment.input;
  if (file === undefined || file === '') {
    throw new Failure('cannot import: no file was named', { exitCode: CommandExit.usage });
  }
  const server = serverOf(job.assignment, job.plan);
  const session = await connectAsSuperuser(server);
  try {
    await lockDatabases(session);
    await ensureLedger(session);
    const exists = await databaseExists(session, job.plan.name);
    if (exists && mode !== 'replace') {
      throw new Failure(`cannot import ${file}: the database ${job.plan.name} is there already`, {
        remedy: 'add --replace to put the dump in its place; what is there now is kept under another name',
        exitCode: CommandExit.refused,
      });
    }
    await dropScratches(session, job.plan.name);
    const imported = await importDump({ job, server, session, path: resolve('/', file), replace: exists });
    if (imported.kept !== undefined) job.say(`the database that was there is now ${imported.kept}`);
    job.report({ type: 'result', value: { file, ...imported } });
  } finally {
    await session.end();
  }
}
