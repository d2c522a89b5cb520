/**
 * The program `rollback`: a cluster that was in use before comes back at the next start, a database that was replaced at
 * once; the one in use is kept. Or what is kept is deleted, where somebody says so.
 */
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { identifyDumps } from '../database/find-dump.ts';
import { databaseExists, dropDatabase, lockDatabases, moveIn } from '../postgres/app-database.ts';
import { findBinaries } from '../postgres/binaries.ts';
import { connectAsSuperuser, type Server, type Session, serverOf } from '../postgres/connect.ts';
import { keptPrefix, keptSince } from '../postgres/database-names.ts';
import { findLack } from '../postgres/find-cluster.ts';
import { type KeptCluster, listKeptClusters } from '../postgres/kept-clusters.ts';
import { type KeptDatabase, listKeptDatabases } from '../postgres/kept-databases.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { ensureLedger } from '../postgres/ledger.ts';
import { newOperation, readOperation, readyToFlip } from '../postgres/operation.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { RollbackPlan } from '../protocol/operations.ts';
import { removeTree } from '../system/files.ts';
import { majorInUse } from './major-in-use.ts';
import { orderOperation } from './workspace.ts';

/** Input: `name`, else the newest; `dryRun`; `forget`: delete it instead; `alone`: there is no server to ask. */
export async function runRollback(job: Job): Promise<void> {
  const { name, alone } = job.assignment.input;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  if (alone === undefined && job.plan.external === undefined) {
    const server = serverOf(job.assignment, job.plan);
    const session = await openSession(server, name);
    if (session) {
      try {
        return await decide(job, layout, await listKeptDatabases(session), { server, session });
      } finally {
        await session.end();
      }
    }
  } else if (name !== undefined && keptSince(name) !== undefined) {
    throw new Failure(`cannot bring back the database ${name}: it lies in a cluster that is not running`, {
      remedy: 'start it first: bulkhead up',
      exitCode: CommandExit.refused,
    });
  }
  await decide(job, layout, [], undefined);
}

interface Living {
  readonly server: Server;
  readonly session: Session;
}

/** A cluster that does not start may be what somebody wants to get away from, so only a database needs the server. */
async function openSession(server: Server, name: string | undefined): Promise<Session | undefined> {
  try {
    return await connectAsSuperuser(server);
  } catch (error) {
    if (name !== undefined && keptSince(name) !== undefined) throw error;
    return undefined;
  }
}

type Kept = ({ readonly kind: 'cluster' } & KeptCluster) | ({ readonly kind: 'database' } & KeptDatabase);

async function decide(
  job: Job,
  layout: Layout,
  databases: readonly KeptDatabase[],
  living: Living | undefined,
): Promise<void> {
  const { name, dryRun, forget } = job.assignment.input;
  const all: Kept[] = [
    ...listKeptClusters(layout).map((cluster) => ({ kind: 'cluster' as const, ...cluster })),
    ...databases.map((database) => ({ kind: 'database' as const, ...database })),
  ];
  const kept = findKept(layout, all, name);
  if (forget !== undefined) {
    if (dryRun === undefined) await forgetKept(job, layout, kept, living);
  } else if (kept.kind === 'cluster') bringBackCluster(job, layout, kept, dryRun !== undefined);
  else if (living) return bringBackDatabase(job, layout, kept, living, dryRun !== undefined);
  job.report({ type: 'result', value: planOf(kept) });
}

function planOf(kept: Kept): RollbackPlan {
  const { kind, name, since } = kept;
  return kept.kind === 'cluster'
    ? { kind, name, since, major: kept.major, why: kept.why, bytes: undefined, aside: undefined }
    : { kind, name, since, major: undefined, why: 'replaced', bytes: kept.bytes, aside: undefined };
}

function bringBackCluster(job: Job, layout: Layout, kept: KeptCluster, isDry: boolean): void {
  const lack = findLack(kept.folder);
  if (lack !== undefined) throw new Failure(`cannot bring back ${kept.name}: ${lack}, so it is not whole`);
  findBinaries({ major: kept.major, libraryDir: join(layout.sockets, 'lib') });
  if (isDry) return;
  const facts = { from: majorInUse(layout), to: kept.major, what: `return to ${kept.name}` };
  const operation = newOperation('rollback', facts);
  const stage = `trash/${kept.name}/${kept.major}`;
  orderOperation(layout, databaseUser(job.plan.systemUser), readyToFlip({ ...operation, stage }));
}

/** One transaction, as a restore: the two change names, and the ledger says so. */
async function bringBackDatabase(
  job: Job,
  layout: Layout,
  kept: Kept & { readonly kind: 'database' },
  { server, session }: Living,
  isDry: boolean,
): Promise<void> {
  const { name: database, user } = job.plan;
  if (!kept.name.startsWith(keptPrefix(database)) || kept.name.length !== keptPrefix(database).length + 15) {
    throw new Failure(`cannot bring back ${kept.name}: it was not the database ${database}`, {
      remedy: `as its superuser: ALTER DATABASE "${kept.name}" RENAME TO …; or delete it: bulkhead db rollback --forget ${kept.name}`,
      exitCode: CommandExit.refused,
    });
  }
  if (isDry) return job.report({ type: 'result', value: planOf(kept) });
  await lockDatabases(session);
  await ensureLedger(session);
  const passed = await identifyDumps(layout, job.plan);
  const detail = { database, user, file: kept.name, format: 'the database of before' };
  const replaces = await databaseExists(session, database);
  const names = await moveIn(session, server, [{ scratch: kept.name, name: database, replaces }], {
    kind: 'restore',
    sha256: undefined,
    detail: { ...detail, ...(passed && { passed }) },
  });
  job.report({ type: 'result', value: { ...planOf(kept), aside: names.get(database) } });
}

async function forgetKept(job: Job, layout: Layout, kept: Kept, living: Living | undefined): Promise<void> {
  if (kept.kind === 'database') {
    if (!living) throw new Error('a database is deleted by its server');
    await lockDatabases(living.session);
    await dropDatabase(living.session, kept.name);
  } else {
    if (readOperation(layout)?.stage.startsWith(`trash/${kept.name}/`)) {
      throw new Failure(`cannot delete ${kept.name}: it is about to come back`, {
        exitCode: CommandExit.refused,
        remedy: 'let the next start bring it back, then decide',
      });
    }
    removeTree(join(layout.trash, kept.name));
  }
  job.say(`deleted ${kept.name}, as somebody said`);
}

function findKept(layout: Layout, all: readonly Kept[], name: string | undefined): Kept {
  const newest = [...all].sort((a, b) => (a.since < b.since ? 1 : -1));
  const found = name === undefined ? newest[0] : all.find((each) => each.name === name);
  if (found) return found;
  const there = newest.map((each) => each.name).join(', ');
  throw new Failure(
    name === undefined
      ? `cannot roll back: no cluster from before is kept in ${layout.trash}, nor a database in the cluster`
      : `cannot find ${name}: it is not kept`,
    {
      exitCode: CommandExit.unknownName,
      ...(there === '' ? {} : { remedy: `there is: ${there}` }),
    },
  );
}
