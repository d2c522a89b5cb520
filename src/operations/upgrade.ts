/** From one major of PostgreSQL to a newer one: asked for by a person, done at the next start, the old cluster kept. */
import { join } from 'node:path';
import { isWhole, readShelf } from '../backups/shelf.ts';
import { formatDuration } from '../base/duration.ts';
import { Failure } from '../base/errors.ts';
import { clearStale } from '../database/stale-server.ts';
import { findBinaries, findInstallations } from '../postgres/binaries.ts';
import { type Cluster, findCluster } from '../postgres/find-cluster.ts';
import { readSystemIdentifier } from '../postgres/identity.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { newOperation, type Operation } from '../postgres/operation.ts';
import { startPrivateServer } from '../postgres/private-server.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { isProven } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { UpgradePlan } from '../protocol/operations.ts';
import { freeBytes } from '../system/files.ts';
import { findNewestClients } from './clients.ts';
import { sizeOf } from './cluster-facts.ts';
import { superuserPassword } from './staged-cluster.ts';
import { transferCluster } from './transfer-cluster.ts';
import { buildCluster, orderOperation } from './workspace.ts';

/** The new cluster and, one database at a time, a compressed dump of the old one. */
const ROOM = 1.2;
const FRESH_MS = 24 * 3_600_000;

/** The program `upgrade`. Input: `to`, `dryRun`, `withoutBackup`. The next start does it. */
export async function runUpgrade(job: Job): Promise<void> {
  const { to, dryRun, withoutBackup } = job.assignment.input;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const plan = planUpgrade(layout, to === undefined ? undefined : Number(to));
  if (dryRun === undefined) {
    if (plan.backup === undefined && withoutBackup === undefined) {
      throw new Failure('cannot upgrade: there is no verified backup of this cluster of the last day', {
        remedy: 'make one: bulkhead backup run daily; or go without: --yes-without-backup',
        exitCode: CommandExit.refused,
      });
    }
    const what = `upgrade from PostgreSQL ${plan.from} to ${plan.to}`;
    const operation = newOperation('upgrade', { from: plan.from, to: plan.to, what });
    orderOperation(layout, databaseUser(job.plan.systemUser), { ...operation, step: 'asked' });
  }
  job.report({ type: 'result', value: plan });
}

/** What an upgrade would do. Throws a Failure where there can be none. */
function planUpgrade(layout: Layout, wanted: number | undefined): UpgradePlan {
  const libraryDir = join(layout.sockets, 'lib');
  const cluster = findCluster(layout);
  if (cluster === undefined) {
    throw new Failure(`cannot upgrade: there is no cluster in ${layout.pg}`, {
      exitCode: CommandExit.refused,
    });
  }
  findBinaries({ major: cluster.major, libraryDir });
  const majors = findInstallations(libraryDir).map(({ major }) => major);
  const to = wanted ?? majors[0] ?? cluster.major;
  if (to <= cluster.major) {
    throw new Failure(`cannot upgrade to PostgreSQL ${to}: the cluster is of ${cluster.major} already`, {
      remedy: `use an image that has a newer PostgreSQL besides ${cluster.major}; this one has ${[...new Set(majors)].join(', ')}`,
      exitCode: CommandExit.refused,
    });
  }
  findBinaries({ major: to, libraryDir });
  findNewestClients(cluster.major, libraryDir);
  const bytes = sizeOf(join(cluster.folder, 'base'));
  const needed = Math.round(bytes * ROOM) + 128 * 1024 ** 2;
  const free = freeBytes(layout.pg);
  const room = { bytes, needed, free };
  return { from: cluster.major, to, ...room, backup: findFreshBackup(layout, cluster) };
}

function findFreshBackup(layout: Layout, cluster: Cluster): string | undefined {
  const systemIdentifier = readSystemIdentifier(cluster.folder);
  return readShelf(join(layout.dataDir, 'backups'), ['dump', 'base']).find(
    (backup) =>
      isWhole(backup) &&
      isProven(backup.verified) &&
      backup.manifest.server?.systemIdentifier === systemIdentifier &&
      Date.now() - Date.parse(backup.startedAt) < FRESH_MS,
  )?.id;
}

/** What was asked for, done by a start before it has a server. Throws a Failure, and then nothing has changed. */
export async function doUpgrade(job: Job, operation: Operation): Promise<void> {
  const began = performance.now();
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  const plan = planUpgrade(layout, operation.to);
  const libraryDir = join(layout.sockets, 'lib');
  const cluster = findCluster(layout);
  if (cluster === undefined || cluster.major !== operation.from) {
    throw new Failure(`cannot do the ${operation.what}: the cluster is another one by now`);
  }
  const stalePid = await clearStale(cluster.folder, layout, job.say);
  await buildCluster({ layout, user, operation, needed: plan.needed }, async (workspace) => {
    const from = await startPrivateServer({
      folder: cluster.folder,
      binaries: findBinaries({ major: cluster.major, libraryDir }),
      user,
      parent: layout.sockets,
      care: 'durable',
      superuserPassword: superuserPassword(layout, user),
      // Nothing but recovery may change it: it is what a rollback goes back to.
      settings: { default_transaction_read_only: 'on' },
      stalePid,
      signal: job.signal,
    });
    try {
      const { name: database, user: role } = job.plan;
      await transferCluster(
        {
          job,
          layout,
          user,
          from,
          fromMajor: cluster.major,
          binaries: findBinaries({ major: operation.to, libraryDir }),
          what: `upgrading PostgreSQL ${cluster.major} to ${operation.to}`,
          entry: {
            kind: 'upgrade',
            sha256: undefined,
            detail: { database, user: role, from: cluster.major, to: operation.to },
          },
        },
        workspace,
      );
    } finally {
      await from.stop();
    }
  });
  job.say(`${operation.what} took ${formatDuration(Math.round(performance.now() - began))}`);
}
