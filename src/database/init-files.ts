/** SQL files of the plan, run once in a new and empty database as the application role. */
import { createReadStream } from 'node:fs';
import { Failure, messageOf } from '../base/errors.ts';
import { restoreSql } from '../dumps/restore-sql.ts';
import { connectAsApp, type Server, type Session } from '../postgres/connect.ts';
import type { Job } from '../program/job.ts';

export async function runInitFiles(job: Job, server: Server, database: string): Promise<void> {
  if (job.plan.init.length === 0) return;
  const app = await connectAsApp(server, database);
  try {
    await runAll(job, app, database, false);
  } finally {
    await app.end();
  }
}

/** As parts of the transaction that this session of the application has open. */
export async function runInitFilesInPlace(job: Job, app: Session): Promise<void> {
  await runAll(job, app, job.plan.name, true);
}

async function runAll(job: Job, app: Session, database: string, inTransaction: boolean): Promise<void> {
  for (const path of job.plan.init) {
    job.say(`running ${path}`);
    const { deferred } = await restoreSql(app, readBytes(path), {
      name: path,
      context: { appUser: job.plan.user, database, serverVersion: Number.POSITIVE_INFINITY, inTransaction },
      onRows: () => undefined,
    });
    for (const sql of deferred) await app.query(sql.toString('utf8'));
  }
}

async function* readBytes(path: string): AsyncGenerator<Buffer, void, void> {
  try {
    yield* createReadStream(path);
  } catch (cause) {
    throw new Failure(`cannot read ${path}: ${messageOf(cause)}`, {
      remedy: 'check `init` of the database in the plan',
      cause,
    });
  }
}
