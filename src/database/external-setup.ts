/** The task `setup` where the server is not ours: a ledger in the database itself, and the one import if it is empty. */
import { existsSync } from 'node:fs';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { nameServer } from '../config/external-url.ts';
import { hasNoRelations } from '../postgres/app-database.ts';
import { connectAsApp, type Server, type Session, serverOf } from '../postgres/connect.ts';
import { layoutOf } from '../postgres/layout.ts';
import { ensureLedger, hasLedger, type LedgerRow, readLedger, writeLedger } from '../postgres/ledger.ts';
import { inTransaction } from '../postgres/transaction.ts';
import type { Job } from '../program/job.ts';
import { type MakeSafetyDump, prepareMigration } from './before-migration.ts';
import { findDump, otherDumps } from './find-dump.ts';
import { takeSharedLock } from './shared-lock.ts';
import { overRestarts } from './wait-for-database.ts';

/** Every step is one transaction there, so a broken connection has changed nothing and it begins again. */
export async function runExternalSetup(job: Job, makeDump: MakeSafetyDump): Promise<void> {
  const server = serverOf(job.assignment, job.plan);
  await overRestarts(job, async () => {
    await using _lock = await takeSharedLock(job, server);
    const session = await connectAsApp(server, job.plan.name);
    try {
      const isNew = await settle(job, server, session);
      const isEmpty = (): Promise<boolean> => hasNoRelations(session);
      await prepareMigration(job, { session, isNew, isEmpty }, makeDump);
    } catch (error) {
      throw explain(error, job, server);
    } finally {
      await session.end();
    }
  });
}

/** Whether it filled the database, or made it ready to be filled, just now. */
async function settle(job: Job, server: Server, session: Session): Promise<boolean> {
  const rows = (await hasLedger(session)) ? await readLedger(session) : [];
  const ledger = rows.filter(({ kind }) => kind !== 'before-migration');
  const isEmpty = await hasNoRelations(session);
  if (ledger.length > 0) {
    await tellWhatIs(job, server, ledger, isEmpty);
    return false;
  }
  if (!isEmpty) {
    await adopt(job, server, session);
    return false;
  }
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  // The sample shows the product on a volume of its own; nobody asked for it in a database that others may use.
  const dump = findDump(layout, { ...job.plan, sample: undefined }, job.note);
  if (dump !== undefined) {
    const { importInPlace } = await import('../dumps/import-dump.ts');
    await importInPlace({ job, server, session, path: dump });
    return true;
  }
  const { runInitFilesInPlace } = await import('./init-files.ts');
  const { name: database, user, init } = job.plan;
  await inTransaction(session, async () => {
    await runInitFilesInPlace(job, session);
    await ensureLedger(session);
    await writeLedger(session, { kind: 'create', sha256: undefined, detail: { database, user, init } });
  });
  const { sample } = job.plan;
  const notSample =
    sample === undefined || !existsSync(sample)
      ? ''
      : `; the sample is for a database of our own alone: bulkhead db import ${sample} brings it there`;
  job.say(`the database ${database} at ${whereOf(server)} is empty and ours to fill${notSample}`);
  return true;
}

/** What is there is somebody's data; from now on it is known that nothing is to be imported over it. */
async function adopt(job: Job, server: Server, session: Session): Promise<void> {
  const { name: database, user } = job.plan;
  try {
    await inTransaction(session, async () => {
      await ensureLedger(session);
      await writeLedger(session, { kind: 'found', sha256: undefined, detail: { database, user } });
    });
    job.say(`the database ${database} at ${whereOf(server)} holds data already; nothing is imported`);
  } catch (error) {
    if (codeOf(error) !== '42501') throw error;
    // With data in it nothing will be imported, ledger or not.
    job.say(
      `the database ${database} holds data already; ${user} may not make the schema bulkhead in it, so no ledger is kept`,
    );
  }
}

async function tellWhatIs(
  job: Job,
  server: Server,
  ledger: readonly LedgerRow[],
  isEmpty: boolean,
): Promise<void> {
  const last = ledger.at(-1);
  if (isEmpty && last !== undefined && last.kind !== 'create') {
    job.note(
      `the database ${job.plan.name} at ${whereOf(server)} is empty, though it was filled (${last.kind} at ${last.at.toISOString()}); nothing is imported a second time by itself: \`bulkhead db import FILE\` does it`,
    );
  }
  if (last?.kind === 'found') return;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const [other] = (await otherDumps(layout, job.plan, ledger)).others;
  if (other === undefined) return;
  job.note(
    `${other} is not what the database ${job.plan.name} at ${whereOf(server)} was filled from, and is not imported`,
  );
}

function explain(error: unknown, job: Job, server: Server): unknown {
  if (error instanceof Failure || codeOf(error) !== '42501') return error;
  const { name, user } = job.plan;
  return new Failure(`cannot set up ${name} at ${whereOf(server)}: ${messageOf(error)}`, {
    remedy: `as its owner: GRANT CREATE ON DATABASE ${name} TO ${user}; GRANT CREATE ON SCHEMA public TO ${user}`,
    cause: error,
  });
}

function whereOf({ external }: Server): string {
  return external ? nameServer(external) : 'this server';
}
