/** The task `setup`: ledger, role, and a database that is there whole, imported or empty, or not at all. */
import { Failure } from '../base/errors.ts';
import {
  createScratch,
  databaseExists,
  dropScratches,
  isEmptyDatabase,
  lockDatabases,
  renameIn,
} from '../postgres/app-database.ts';
import { connectAsSuperuser, type Server, type Session, serverOf } from '../postgres/connect.ts';
import { tellJobsDatabaseReady } from '../postgres/jobs-ready.ts';
import { JOBS_DATABASE, layoutOf, MAINTENANCE_DATABASE, SUPERUSER } from '../postgres/layout.ts';
import { ensureLedger, type LedgerRow, readLedger } from '../postgres/ledger.ts';
import type { Job } from '../program/job.ts';
import { reconcileRole } from './app-role.ts';
import { type MakeSafetyDump, prepareMigration } from './before-migration.ts';
import { checkCollation } from './collation.ts';
import { findDump, otherDumps } from './find-dump.ts';

export async function runSetup(job: Job, makeDump: MakeSafetyDump): Promise<void> {
  if (job.plan.external) return (await import('./external-setup.ts')).runExternalSetup(job, makeDump);
  refuseReservedNames(job);
  const server = serverOf(job.assignment, job.plan);
  const session = await connectAsSuperuser(server);
  try {
    await lockDatabases(session);
    await ensureLedger(session);
    const ledger = await readLedger(session);
    const exists = await databaseExists(session, job.plan.name);
    refuseOtherNames(job, ledger);
    const changed = await reconcileRole(session, job.plan.user, server.appPassword);
    if (changed !== undefined) job.say(changed);
    const dropped = await dropScratches(session, job.plan.name);
    if (dropped.length > 0) job.say(`dropped what an interrupted start left behind: ${dropped.join(', ')}`);
    if (job.assignment.jobs?.store === 'postgres') {
      const { prepareJobsDatabase } = await import('./jobs-database.ts');
      await prepareJobsDatabase(job, session, ledger);
      tellJobsDatabaseReady(server.socketDir);
    }
    if (exists) {
      await checkCollation(job, server, session, ledger);
      await keepDatabase(job, server, session, ledger);
    } else await makeDatabase(job, server, session, ledger);
    const isEmpty = (): Promise<boolean> => isEmptyDatabase(server, job.plan.name);
    await prepareMigration(job, { session, isNew: !exists, isEmpty }, makeDump);
  } finally {
    await session.end();
  }
}

/** Ours and the server's own: the application must neither be the superuser nor live beside the ledger. */
function refuseReservedNames({ plan }: Job): void {
  if (plan.user === SUPERUSER || plan.user === JOBS_DATABASE || plan.user.startsWith('pg_')) {
    throw new Failure(`cannot use ${plan.user} as the application's user: the name is reserved`, {
      remedy: 'choose another user in DATABASE_URL or under database.user in the plan',
    });
  }
  if ([MAINTENANCE_DATABASE, JOBS_DATABASE, 'template0', 'template1'].includes(plan.name)) {
    throw new Failure(`cannot use ${plan.name} as the application's database: the name is reserved`, {
      remedy: 'choose another name in DATABASE_URL or under database.name in the plan',
    });
  }
}

/** One volume holds one application: another name is far more often a mistake than a wish. */
function refuseOtherNames(job: Job, ledger: readonly LedgerRow[]): void {
  const last = ledger.at(-1)?.detail;
  if (!last) return;
  for (const [what, wanted, has] of [
    ['database', job.plan.name, last.database],
    ['user', job.plan.user, last.user],
  ] as const) {
    if (wanted === has) continue;
    throw new Failure(`cannot use ${what} ${wanted}: this volume's ${what} is ${has}`, {
      remedy: `set the ${what} back to ${has} (DATABASE_URL, or database.${what === 'user' ? 'user' : 'name'} in the plan), or use a new volume`,
    });
  }
}

async function makeDatabase(
  job: Job,
  server: Server,
  session: Session,
  ledger: readonly LedgerRow[],
): Promise<void> {
  const { plan } = job;
  const before = ledger.findLast(({ kind }) => kind !== 'collation' && kind !== 'before-migration');
  if (before) {
    job.note(
      `the database ${plan.name} was there (${before.kind} at ${before.at.toISOString()}) and has been dropped since; it is made anew`,
    );
  }
  const dump = findDump(layoutOf(job.assignment.dataDir, job.assignment.runDir), plan, job.note);
  if (dump !== undefined) {
    // Only here: a warm boot needs neither the splitter nor what runs pg_restore.
    const { importDump } = await import('../dumps/import-dump.ts');
    await importDump({ job, server, session, path: dump, replace: false });
    return;
  }
  const scratch = await createScratch(session, plan.name, plan.user, 'new');
  await makeExtensions(job, server, session, scratch);
  const { runInitFiles } = await import('./init-files.ts');
  await runInitFiles(job, server, scratch);
  await renameIn(session, scratch, plan.name, {
    kind: 'create',
    sha256: undefined,
    detail: { database: plan.name, user: plan.user, init: plan.init },
  });
  const made = `created the database ${plan.name}`;
  job.report({ type: 'progress', progress: { what: made, percent: undefined, detail: undefined } });
  job.say(made);
}

/** Those the plan names; a database that is there gets what was added to the plan since. */
async function makeExtensions(job: Job, server: Server, session: Session, database: string): Promise<void> {
  const { name, user, extensions = [] } = job.plan;
  if (extensions.length === 0) return;
  const { createExtensions, requireAvailable } = await import('../postgres/extensions.ts');
  await requireAvailable(session, extensions, `make the extensions of the database ${name}`);
  const wanted = new Map(extensions.map((extension) => [extension, undefined]));
  const made = await createExtensions(server, database, user, wanted);
  if (made.length > 0) job.say(`made by the superuser, as the plan allows: ${made.join(', ')}`);
}

async function keepDatabase(
  job: Job,
  server: Server,
  session: Session,
  ledger: readonly LedgerRow[],
): Promise<void> {
  const { plan } = job;
  await makeExtensions(job, server, session, plan.name);
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const { others, late } = await otherDumps(layout, plan, ledger);
  const replaces = plan.importMode === 'replace';
  const asks = (path: string): string => `\`bulkhead db import --replace ${path}\` puts it in its place`;
  const [passed] = replaces ? others.filter((path) => !late.includes(path)) : others;
  if (passed !== undefined) {
    // A dump that lies there but was not imported is worth a word, never a failure.
    job.note(
      replaces
        ? `${passed} lay there at the last restore of the database ${plan.name}, or is older, and is not imported over it; ${asks(passed)}`
        : `${passed} is not what this volume was filled from, and is not imported: the database ${plan.name} is there already; ${asks(passed)}`,
    );
  }
  const [other] = late;
  if (!replaces || other === undefined) return;
  if (late.length > 1)
    return job.note(`cannot choose which dump replaces the database, and none does: ${late.join(', ')}`);
  const { importDump } = await import('../dumps/import-dump.ts');
  const { kept } = await importDump({ job, server, session, path: other, replace: true });
  job.note(
    `${other} has replaced the database ${plan.name}, as the plan says; what was there is now ${kept}`,
  );
}
