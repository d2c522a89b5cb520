/** The task `cluster`: the volume is laid out, its secrets exist, and one whole cluster is where `pg/current` points. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findBinaries, newerMajor, type PostgresBinaries } from '../postgres/binaries.ts';
import { type Cluster, findCluster } from '../postgres/find-cluster.ts';
import { type Identity, readIdentity, readSystemIdentifier, writeIdentity } from '../postgres/identity.ts';
import { forgetJobsDatabase } from '../postgres/jobs-ready.ts';
import { sweepKeptClusters } from '../postgres/kept-clusters.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import {
  APP_PASSWORD,
  ensureSecret,
  NEXTAUTH_SECRET,
  readSecret,
  SUPERUSER_PASSWORD,
} from '../postgres/secrets.ts';
import { sweepStages, VERIFY_STAGE } from '../postgres/stages.ts';
import { canUsePeer, databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { findBundle } from './find-dump.ts';
import { refuseReadOnly, refuseStrangers, refuseWhereDataWas, refuseWithoutRoom } from './guards.ts';
import { leavesLivingServer } from './living-server.ts';
import { pointCurrentTo } from './point-current.ts';
import { type DoAsked, settleOperation } from './settle-operation.ts';
import { closeFolder, layOutRunDir, layOutVolume, takeOver } from './volume.ts';

/**
 * Looks at a whole bundle, changing nothing; throws a Failure where it cannot be used. What it resolves to builds a
 * cluster of it, which is flipped in like that of any operation.
 */
export type OpenBundle = (job: Job, path: string) => Promise<() => Promise<void>>;

/** `doAsked`: what does a physical operation that needs the database stopped. */
export async function runCluster(job: Job, doAsked: DoAsked, openBundle: OpenBundle): Promise<void> {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  const libraryDir = join(layout.sockets, 'lib');
  if (await leavesLivingServer(job, layout)) return;
  layOutRunDir(layout, user);
  // Whatever refuses, refuses before anything on the volume is made, moved or swept.
  refuseReadOnly(layout);
  refuseStrangers(layout, user);
  const { stageInUse, settled } = await settleOperation(job, layout, user, doAsked);
  if (settled) forgetJobsDatabase(layout.sockets);
  const identity = readIdentity(layout.identity);
  const there = findCluster(layout);
  const binaries = findBinaries({ major: there?.major, libraryDir });
  if (there === undefined) refuseWhereDataWas(layout);
  const bundle = there === undefined ? findBundle(layout, job.plan) : undefined;
  const moveIn = bundle === undefined ? undefined : await openBundle(job, bundle);

  layOutVolume(layout, user);
  const verifying = await isVerifying(layout);
  sweepStages(layout.pg, (name) => name === stageInUse || (verifying && name.startsWith(VERIFY_STAGE)));
  refuseWithoutRoom(layout, there !== undefined, job.note);
  ensureSecret(layout.secrets, APP_PASSWORD);
  ensureSecret(layout.secrets, NEXTAUTH_SECRET);
  if (moveIn !== undefined) {
    await moveIn();
    await settleOperation(job, layout, user, doAsked);
  }
  const found = moveIn === undefined ? there : findCluster(layout);
  if (found !== undefined) {
    if (takeOver(found.folder, user))
      job.note(`the cluster belonged to another uid; it is now ${user.uid}'s`);
    if (closeFolder(found.folder))
      job.note(`${found.folder} was open to others, which PostgreSQL refuses; it is closed now`);
    if (!canUsePeer(user)) {
      const { ensureSuperuserPassword } = await import('../postgres/superuser-password.ts');
      const { secrets, rendered } = layout;
      await ensureSuperuserPassword({ cluster: found.folder, secrets, binaries, user, folder: rendered });
    }
  } else if (!canUsePeer(user)) ensureSecret(layout.secrets, SUPERUSER_PASSWORD);
  const cluster = found ?? (await createCluster(job, layout, binaries));
  pointCurrentTo(layout, cluster.major);
  keepIdentity(job, layout, identity, cluster);
  const newer = newerMajor(cluster.major);
  if (newer !== undefined) {
    job.note(
      `the cluster is of PostgreSQL ${cluster.major}, and ${newer} is here: bulkhead db upgrade moves it`,
    );
  }
  // What has just come into force has proven nothing yet: all that one could go back to stays until another start.
  if (settled || moveIn !== undefined) return;
  const swept = sweepKeptClusters(layout, Date.now());
  if (swept.length > 0) job.say(`deleted clusters that went out of use a week ago: ${swept.join(', ')}`);
}

/** A restart of the database alone must not make a good backup look bad: its verification goes on beside us. */
async function isVerifying({ dataDir, pg }: Layout): Promise<boolean> {
  const path = join(dataDir, 'backups', 'lock');
  // Made by us it would be root's, and closed to who takes it next.
  if (!existsSync(path) || !readdirSync(pg).some((name) => name.startsWith(VERIFY_STAGE))) return false;
  const { takeLock } = await import('../system/lock.ts');
  const lock = takeLock(path);
  lock?.release();
  return lock === undefined;
}

async function createCluster(job: Job, layout: Layout, binaries: PostgresBinaries): Promise<Cluster> {
  const user = databaseUser(job.plan.systemUser);
  job.report({
    type: 'progress',
    progress: {
      what: `creating a cluster of PostgreSQL ${binaries.major}`,
      percent: undefined,
      detail: undefined,
    },
  });
  // Only here: a warm boot runs no tool.
  const { initCluster } = await import('../postgres/initdb.ts');
  const folder = await initCluster({
    layout,
    binaries,
    user,
    superuserPassword: readSecret(layout.secrets, SUPERUSER_PASSWORD),
    signal: job.signal,
  });
  const made = `created a cluster of PostgreSQL ${binaries.major}`;
  job.report({ type: 'progress', progress: { what: made, percent: undefined, detail: undefined } });
  job.say(`${made} in ${folder}`);
  return { major: binaries.major, folder };
}

function keepIdentity(job: Job, layout: Layout, known: Identity | undefined, cluster: Cluster): void {
  const systemIdentifier = readSystemIdentifier(cluster.folder);
  const isSame = known?.pgMajor === cluster.major && known.systemIdentifier === systemIdentifier;
  if (known?.everHadData && known.mode === 'embedded' && isSame) return;
  if (known?.everHadData && known.pgMajor !== undefined && !isSame) {
    job.note(
      `${cluster.folder} is another cluster than the one this volume was known by: ${describe(cluster.major, systemIdentifier)} instead of ${describe(known.pgMajor, known.systemIdentifier ?? 'unknown')}`,
    );
  }
  writeIdentity(layout.identity, {
    layout: 1,
    installId: known?.installId ?? randomUUID(),
    mode: 'embedded',
    pgMajor: cluster.major,
    systemIdentifier,
    createdAt: known?.createdAt ?? new Date().toISOString(),
    everHadData: true,
  });
}

function describe(major: number, systemIdentifier: string): string {
  return `${systemIdentifier} of PostgreSQL ${major}`;
}
