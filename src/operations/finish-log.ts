/** Has a living server finish the segment it writes, and waits until that is archived. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import { connectAsSuperuser, serverOf } from '../postgres/connect.ts';
import { findCluster } from '../postgres/find-cluster.ts';
import { readSystemIdentifier } from '../postgres/identity.ts';
import type { Layout } from '../postgres/layout.ts';
import type { Job } from '../program/job.ts';
import { archiveFolder } from '../wal/archive.ts';
import { readOpenGap } from '../wal/gap.ts';

const PATIENCE_MS = 30_000;

/** Where there is no server, or it does not archive, what is in the archive is all there is. */
export async function finishLog(job: Job, layout: Layout): Promise<void> {
  try {
    const session = await connectAsSuperuser(serverOf(job.assignment, job.plan));
    try {
      const { rows: modes } = await session.query<{ mode: string }>(
        "SELECT current_setting('archive_mode') AS mode",
      );
      if (modes[0]?.mode !== 'on') return;
      // A target in time is reached by the first transaction after it, so there has to be one.
      await session.query('SELECT txid_current()');
      const { rows } = await session.query<{ name: string }>(
        'SELECT pg_walfile_name(pg_switch_wal()) AS name',
      );
      await untilArchived(job, layout, rows[0]?.name ?? '');
    } finally {
      await session.end();
    }
  } catch (error) {
    job.signal.throwIfAborted();
    job.say(`what is not archived yet is left out: ${messageOf(error)}`);
  }
}

async function untilArchived(job: Job, layout: Layout, name: string): Promise<void> {
  const cluster = findCluster(layout);
  if (!cluster) return;
  const archive = archiveFolder(layout.dataDir, readSystemIdentifier(cluster.folder), cluster.major);
  const deadline = performance.now() + PATIENCE_MS;
  while (!existsSync(join(archive, name))) {
    job.signal.throwIfAborted();
    if (readOpenGap(archive)) return;
    if (performance.now() > deadline) {
      job.note(`${name} is not archived after ${PATIENCE_MS / 1000} s; see why: bulkhead logs database`);
      return;
    }
    await sleep(50);
  }
}
