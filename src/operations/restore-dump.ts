/** A dump, of a backup or of anybody, becomes the application's database. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { verifyBackup } from '../backups/verify-backup.ts';
import { Failure } from '../base/errors.ts';
import { reconcileRole } from '../database/app-role.ts';
import { identifyDumps } from '../database/find-dump.ts';
import { fingerprintMigration } from '../database/migration-fingerprint.ts';
import { importDump } from '../dumps/import-dump.ts';
import { databaseExists, dropScratches, lockDatabases } from '../postgres/app-database.ts';
import { findBinaries, type PostgresBinaries } from '../postgres/binaries.ts';
import { connectAsSuperuser, type Server, type Session, serverOf } from '../postgres/connect.ts';
import { compareFingerprints, fingerprintTables } from '../postgres/fingerprint.ts';
import { layoutOf } from '../postgres/layout.ts';
import { ensureLedger, writeLedger } from '../postgres/ledger.ts';
import { newOperation } from '../postgres/operation.ts';
import { APP_PASSWORD, readSecret } from '../postgres/secrets.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { type BackupDatabase, dumpFile } from '../protocol/backups.ts';
import type { Source } from './find-source.ts';
import { majorInUse } from './major-in-use.ts';
import { fillNewCluster, superuserPassword } from './staged-cluster.ts';
import { buildCluster } from './workspace.ts';

/** What packed text grows to, with indexes. */
const GROWTH = 8;

/** Into the living server. Returns the name under which the database that was there is kept. */
export async function restoreDump(job: Job, source: Source): Promise<string | undefined> {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const dump = await openSource(
    job,
    source,
    findBinaries({ major: majorInUse(layout), libraryDir: join(layout.sockets, 'lib') }),
  );
  const server = serverOf(job.assignment, job.plan);
  const session = await connectAsSuperuser(server);
  try {
    await lockDatabases(session);
    await ensureLedger(session);
    await dropScratches(session, job.plan.name);
    const replace = await databaseExists(session, job.plan.name);
    return (await importInto(job, dump, server, session, replace)).kept;
  } finally {
    await session.end();
  }
}

/** Into a new cluster. Returns the name under which the cluster that was there is kept. */
export async function restoreDumpAlone(job: Job, source: Source): Promise<void> {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  const libraryDir = join(layout.sockets, 'lib');
  const binaries = findBinaries({ libraryDir });
  const dump = await openSource(job, source, binaries);
  const from = majorInUse(layout);
  const what = `restore of ${dump.name}`;
  const operation = newOperation('restore', { from, to: binaries.major, what });
  const { size } = statSync(dump.path);
  const appPassword =
    job.plan.password ?? job.assignment.secrets.appPassword ?? readSecret(layout.secrets, APP_PASSWORD);
  const password = superuserPassword(layout, user);
  await buildCluster({ layout, user, operation, needed: size * GROWTH + 256 * 1024 ** 2 }, (workspace) =>
    fillNewCluster(
      { layout, binaries, user, signal: job.signal, roles: [job.plan.user] },
      workspace,
      async ({ socketDir, port }) => {
        const server: Server = {
          socketDir,
          port,
          superuserPassword: password,
          appUser: job.plan.user,
          appPassword: appPassword ?? '',
        };
        const session = await connectAsSuperuser(server);
        try {
          await ensureLedger(session);
          await reconcileRole(session, job.plan.user, server.appPassword);
          await importInto(job, dump, server, session, false);
          await noteMigration(job, session, dump.name);
        } finally {
          await session.end();
        }
      },
    ),
  );
}

/** What was restored is the dump that the next start would make before it migrates: nothing is written until then. */
async function noteMigration(
  { plan: { migration, name: database, user } }: Job,
  session: Session,
  backup: string,
): Promise<void> {
  if (!migration?.safetyDump) return;
  const sha256 = fingerprintMigration(migration);
  await writeLedger(session, { kind: 'before-migration', sha256, detail: { database, user, backup } });
}

interface OpenDump {
  readonly name: string;
  readonly path: string;
  readonly at: string | undefined;
  /** With its fingerprints, where there is a manifest. */
  readonly database: BackupDatabase | undefined;
}

/** Its hashes are looked at before anything is begun. */
async function openSource(job: Job, source: Source, binaries: PostgresBinaries): Promise<OpenDump> {
  if (source.kind === 'file') {
    return { name: source.path, path: source.path, at: undefined, database: undefined };
  }
  const { backup } = source;
  const database = pickDatabase(job, backup.manifest.databases ?? [], backup.id);
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const place = { layout, binaries, user: databaseUser(job.plan.systemUser) };
  const verified = await verifyBackup(job, place, backup, 'files');
  if (!verified.ok) throw new Failure(`cannot restore ${backup.id}: ${verified.problem}`);
  return {
    name: backup.id,
    path: join(backup.folder, dumpFile(database.name)),
    at: backup.startedAt,
    database,
  };
}

/** A backup of another installation may call its database otherwise. */
function pickDatabase({ plan }: Job, databases: readonly BackupDatabase[], id: string): BackupDatabase {
  const found =
    databases.find(({ name }) => name === plan.name) ?? (databases.length === 1 ? databases[0] : undefined);
  if (found) return found;
  throw new Failure(
    `cannot restore ${id}: it holds ${databases.map(({ name }) => name).join(', ')}, and not ${plan.name}`,
  );
}

async function importInto(
  job: Job,
  { name, path, at, database }: OpenDump,
  server: Server,
  session: Session,
  replace: boolean,
): ReturnType<typeof importDump> {
  const verify = async (scratch: string): Promise<void> => {
    if (database === undefined) return;
    const inside = await connectAsSuperuser(server, scratch);
    try {
      const progress = tellProgress(`comparing ${name}`, job.report, job.say);
      const prints = await fingerprintTables(inside, {
        like: database.tables,
        onTable: (done, total) => progress.tell(done, total, `${done} of ${total} tables read`),
      });
      const differences = compareFingerprints(database.tables, prints);
      if (differences.length === 0) return;
      throw new Failure(
        `cannot restore ${name}: what came out of it is not what was dumped: ${differences.slice(0, 3).join('; ')}`,
        {
          remedy: 'nothing was changed; restore another backup: bulkhead backup list',
        },
      );
    } finally {
      await inside.end();
    }
  };
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const passed = await identifyDumps(layout, job.plan);
  const detail = { backup: name, ...(at === undefined ? {} : { backupAt: at }), ...(passed && { passed }) };
  return importDump({ job, server, session, path, replace, restore: { detail, verify } });
}
