/**
 * The program `restore`. Onto a living server a dump goes as an import does: a scratch database, compared, and swapped
 * in with its ledger row in one transaction. Where none lives, and for a base backup, a whole cluster is built, and the
 * next start puts it in its place. What was there is kept either way.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { lockBackups } from '../backups/backups-room.ts';
import type { FarBackup } from '../backups/offsite/far-shelf.ts';
import { findFar, withFarShelf } from '../backups/offsite/find-far.ts';
import { Failure } from '../base/errors.ts';
import { databaseExists, isEmptyDatabase } from '../postgres/app-database.ts';
import { connectAsSuperuser, type Server, serverOf } from '../postgres/connect.ts';
import { readIdentity } from '../postgres/identity.ts';
import { layoutOf } from '../postgres/layout.ts';
import type { Job } from '../program/job.ts';
import { dumpFile } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { RestorePlan } from '../protocol/operations.ts';
import { sizeOf } from './cluster-facts.ts';
import { findSource, type Source } from './find-source.ts';
import { majorInUse } from './major-in-use.ts';
import { withPlainSource } from './plain-source.ts';
import { prepareVolume } from './prepare-volume.ts';
import { restoreBase } from './restore-base.ts';
import { restoreDump, restoreDumpAlone } from './restore-dump.ts';

/**
 * Input: `backup` (id, beginning, latest, absolute path), `replace`, `dryRun`, `alone`; `identity`, the text of the key of
 * an encrypted one; `offsite`, of a dry run alone: a copy is meant that has not been fetched.
 */
export async function runRestore(job: Job): Promise<void> {
  const { backup: wanted = '', dryRun, alone, offsite } = job.assignment.input;
  if (wanted === '') throw new Failure('cannot restore: nothing was named', { exitCode: CommandExit.usage });
  if (job.plan.external) refuseOutside(job, wanted);
  if (dryRun !== undefined) {
    const source =
      offsite === undefined ? findSource(job.assignment.dataDir, wanted) : await findFarSource(job, wanted);
    return job.report({ type: 'result', value: await planRestore(job, source) });
  }
  if (alone !== undefined) {
    // What is refused anyway leaves the volume, and whom it belongs to, as it was.
    requireReplace(job, await planRestore(job, findSource(job.assignment.dataDir, wanted)));
    return restoreLocked(prepareVolume(job), wanted);
  }
  return restoreLocked(job, wanted);
}

/** Nothing is pruned under its feet. */
async function restoreLocked(job: Job, wanted: string): Promise<void> {
  const source = findSource(job.assignment.dataDir, wanted);
  const lock = source.kind === 'file' ? undefined : lockBackups(join(job.assignment.dataDir, 'backups'));
  try {
    await restoreSource(job, source);
  } finally {
    lock?.release();
  }
}

/** What is told of it before it is here. */
type Told = Source | { readonly kind: 'dump' | 'base'; readonly backup: FarBackup };

function findFarSource(job: Job, wanted: string): Promise<Told> {
  return withFarShelf(job, async (store, shelf) => {
    const backup = findFar(shelf, wanted, store.where, ['dump', 'base']);
    return { kind: backup.kind === 'base' ? 'base' : 'dump', backup };
  });
}

async function planRestore(job: Job, source: Told): Promise<RestorePlan> {
  const { alone } = job.assignment.input;
  return {
    ...describe(job, source),
    replaced: alone === undefined ? await describeLive(job) : describeCluster(job),
    flip: alone !== undefined || source.kind === 'base',
    kept: undefined,
  };
}

async function restoreSource(job: Job, source: Source): Promise<void> {
  const { alone } = job.assignment.input;
  const plan = await planRestore(job, source);
  requireReplace(job, plan);
  let kept: string | undefined;
  if (source.kind === 'base') await restoreBase(job, source.backup);
  else {
    await withPlainSource(job, source, async (plain) => {
      if (alone === undefined) kept = await restoreDump(job, plain);
      else await restoreDumpAlone(job, plain);
    });
  }
  job.report({ type: 'result', value: { ...plan, kept } satisfies RestorePlan });
}

function requireReplace({ assignment: { input } }: Job, { what, replaced }: RestorePlan): void {
  if (replaced === undefined || input.replace !== undefined) return;
  throw new Failure(`cannot restore ${what}: ${replaced.what} is there already`, {
    remedy: 'add --replace to put it in its place; what is there now is kept',
    exitCode: CommandExit.refused,
  });
}

/** What is in that database, and who works on it, is not ours to move aside. */
function refuseOutside(job: Job, wanted: string): never {
  const where = job.plan.external?.hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
  const source = findSource(job.assignment.dataDir, wanted);
  const file =
    source.kind === 'file'
      ? source.path
      : join(source.backup.folder, dumpFile(source.backup.manifest.databases?.[0]?.name ?? job.plan.name));
  throw new Failure(
    `cannot restore ${wanted}: the database ${job.plan.name} is at ${where}, and not ours to replace`,
    {
      remedy: `empty it or make another one, then: bulkhead db import ${file}, or with plain tools: pg_restore --no-owner --exit-on-error --single-transaction --dbname="$DATABASE_URL" ${file}`,
      exitCode: CommandExit.refused,
    },
  );
}

function describe(job: Job, source: Told): Omit<RestorePlan, 'replaced' | 'flip' | 'kept'> {
  if (source.kind === 'file') {
    const bytes = statSync(source.path).isDirectory() ? sizeOf(source.path) : statSync(source.path).size;
    const unknown = { at: undefined, rows: undefined, tables: undefined, foreign: false };
    return { what: source.path, kind: 'file', bytes, ...unknown };
  }
  const { id, kind, manifest } = source.backup;
  const tables = manifest.databases?.flatMap((database) => database.tables);
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const installId = readIdentity(layout.identity)?.installId;
  return {
    what: id,
    kind: kind === 'base' ? 'base' : 'dump',
    at: manifest.startedAt,
    bytes: manifest.files.reduce((sum, { size }) => sum + size, 0),
    rows: tables?.reduce((sum, { rows }) => sum + rows, 0),
    tables: tables?.length,
    foreign: installId !== undefined && manifest.installId !== undefined && manifest.installId !== installId,
  };
}

/** The database the application has now; an empty one makes room without a word. */
async function describeLive(job: Job): Promise<RestorePlan['replaced']> {
  const server: Server = serverOf(job.assignment, job.plan);
  const session = await connectAsSuperuser(server);
  try {
    const { name } = job.plan;
    if (!(await databaseExists(session, name)) || (await isEmptyDatabase(server, name))) return undefined;
    const { rows } = await session.query<{ size: string }>('SELECT pg_database_size($1) AS size', [name]);
    const inside = await connectAsSuperuser(server, name);
    const tables = await inside
      .query<{ n: string }>(
        "SELECT count(*) AS n FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384",
      )
      .finally(() => inside.end());
    return { what: `the database ${name}`, tables: Number(tables.rows[0]?.n), bytes: Number(rows[0]?.size) };
  } finally {
    await session.end();
  }
}

function describeCluster(job: Job): RestorePlan['replaced'] {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const major = majorInUse(layout);
  if (major === undefined) return undefined;
  const folder = join(layout.pg, String(major), 'main');
  return { what: `a cluster of PostgreSQL ${major}`, tables: undefined, bytes: sizeOf(join(folder, 'base')) };
}
