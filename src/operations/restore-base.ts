/** A base backup becomes the cluster: copied, recovered to the moment it was made, read through. */
import { writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { WholeBackup } from '../backups/shelf.ts';
import { verifyBackup } from '../backups/verify-backup.ts';
import { Failure } from '../base/errors.ts';
import { identifyDumps } from '../database/find-dump.ts';
import { findBinaries } from '../postgres/binaries.ts';
import { fingerprintTables } from '../postgres/fingerprint.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { ensureLedger, writeLedger } from '../postgres/ledger.ts';
import { newOperation } from '../postgres/operation.ts';
import { type PrivateServer, startPrivateServer } from '../postgres/private-server.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { CLUSTER_FOLDER } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { archiveFolder, holdsSegments } from '../wal/archive.ts';
import { fetchHistoriesScript } from '../wal/fetch-script.ts';
import { quoteCommandPath } from '../wal/quote-shell.ts';
import { copyTelling } from './copy-telling.ts';
import { majorInUse } from './major-in-use.ts';
import { superuserPassword, syncCluster } from './staged-cluster.ts';
import { buildCluster, type Workspace } from './workspace.ts';

export async function restoreBase(job: Job, backup: WholeBackup): Promise<void> {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  const major = backup.manifest.server?.major;
  if (major === undefined) throw new Failure(`cannot restore ${backup.id}: its manifest names no server`);
  const binaries = findBinaries({ major, libraryDir: join(layout.sockets, 'lib') });
  const verified = await verifyBackup(job, { layout, binaries, user }, backup, 'readable');
  if (!verified.ok) throw new Failure(`cannot restore ${backup.id}: ${verified.problem}`);
  const from = majorInUse(layout);
  const operation = newOperation('restore', { from, to: major, what: `restore of ${backup.id}` });
  const needed = verified.bytes + 128 * 1024 ** 2;
  const step = (detail: string): void =>
    job.report({
      type: 'progress',
      progress: { what: `restoring ${backup.id}`, percent: undefined, detail },
    });
  await buildCluster({ layout, user, operation, needed }, async (workspace) => {
    await copyTelling(job, `restoring ${backup.id}`, {
      from: join(backup.folder, CLUSTER_FOLDER),
      to: workspace.cluster,
      bytes: verified.bytes,
    });
    await chmod(workspace.cluster, 0o700);
    step('recovering it');
    const settings = beginTimeline(layout, backup, workspace);
    const server = await startPrivateServer({
      folder: workspace.cluster,
      binaries,
      user,
      parent: layout.sockets,
      care: 'durable',
      superuserPassword: superuserPassword(layout, user),
      settings,
      signal: job.signal,
    });
    try {
      await readThrough(job, server, backup.id);
      await noteRestore(job, server, backup);
    } finally {
      await server.stop();
    }
    step('syncing it');
    await syncCluster(workspace, binaries, user, job.signal);
  });
}

/**
 * Where its log was archived, going on under the same names with other content would spoil the archive: it begins a
 * timeline of its own at the moment it was made.
 */
function beginTimeline(
  layout: Layout,
  { manifest: { server, wal } }: WholeBackup,
  { folder, cluster }: Workspace,
): Readonly<Record<string, string>> {
  if (!server || !wal) return {};
  const archive = archiveFolder(layout.dataDir, server.systemIdentifier, server.major);
  if (!holdsSegments(archive)) return {};
  const script = join(folder, 'fetch-histories');
  writeFileSync(script, fetchHistoriesScript(archive));
  writeFileSync(join(cluster, 'recovery.signal'), '', { mode: 0o600 });
  return {
    restore_command: `exec sh ${quoteCommandPath(script)} "%f" "%p"`,
    recovery_target: 'immediate',
    recovery_target_action: 'promote',
    recovery_target_timeline: String(wal.timeline),
    hot_standby: 'off',
  };
}

/** Checksums of pages are looked at only where pages are read. */
async function readThrough(job: Job, server: PrivateServer, id: string): Promise<void> {
  const session = await server.connect();
  const { rows } = await session
    .query<{ datname: string }>('SELECT datname FROM pg_catalog.pg_database WHERE datallowconn ORDER BY 1')
    .finally(() => session.end());
  if (!rows.some(({ datname }) => datname === job.plan.name)) {
    throw new Failure(`cannot restore ${id}: it has no database ${job.plan.name}`, {
      remedy: `it has ${rows.map(({ datname }) => datname).join(', ')}: set database.name in the plan to the right one`,
      exitCode: CommandExit.refused,
    });
  }
  for (const { datname } of rows) {
    const inside = await server.connect(datname);
    try {
      const progress = tellProgress(`restoring ${id}`, job.report, job.say);
      await fingerprintTables(inside, {
        onTable: (done, total) => progress.tell(done, total, `${datname}: table ${done} of ${total} read`),
      });
    } finally {
      await inside.end();
    }
    job.signal.throwIfAborted();
  }
}

async function noteRestore(job: Job, server: PrivateServer, { id, startedAt }: WholeBackup): Promise<void> {
  const session = await server.connect();
  try {
    await ensureLedger(session);
    const { name: database, user } = job.plan;
    const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
    const passed = await identifyDumps(layout, job.plan);
    const from = { backup: id, backupAt: startedAt, whole: true } as const;
    const detail = { database, user, ...from, ...(passed && { passed }) };
    await writeLedger(session, { kind: 'restore', sha256: undefined, detail });
  } finally {
    await session.end();
  }
}
