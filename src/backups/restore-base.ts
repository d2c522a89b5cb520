/** Starts a copy of a base backup, lets it recover, and reads every row and every index of every database in it. */
import { join } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import { fingerprintTables } from '../postgres/fingerprint.ts';
import type { PrivateServer } from '../postgres/private-server.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { CLUSTER_FOLDER } from '../protocol/backups.ts';
import { runTool } from '../system/commands.ts';
import { blameBackup } from './bad-backup.ts';
import { checkIndexes } from './check-indexes.ts';
import type { PostgresPlace } from './postgres-place.ts';
import { withScratchCluster } from './scratch-cluster.ts';
import type { WholeBackup } from './shelf.ts';

/** Resolves to the bytes of its databases. Throws BadBackup where it cannot be started or read. */
export async function restoreBase(job: Job, place: PostgresPlace, backup: WholeBackup): Promise<number> {
  const what = `starting a copy of ${backup.id}`;
  const step = (detail: string): void =>
    job.report({ type: 'progress', progress: { what, percent: undefined, detail } });
  const fill = async (folder: string): Promise<void> => {
    step('copying it');
    // Where the file system can, the copy shares the blocks.
    const from = join(backup.folder, CLUSTER_FOLDER);
    const copied = await runTool(['cp', '-a', '--reflink=auto', from, folder], { signal: job.signal });
    job.signal.throwIfAborted();
    if (copied.failed) throw new Error(`cannot copy ${from}: ${copied.stderr.trim()}`);
  };
  try {
    return await withScratchCluster({ ...place, roles: [], signal: job.signal, fill }, async (scratch) => {
      let bytes = 0;
      for (const { name, size } of await listDatabases(scratch)) {
        await readAll(job, scratch, name, what);
        await compareIndexes(job, scratch, name, backup.id);
        bytes += size;
      }
      return bytes;
    });
  } catch (error) {
    job.signal.throwIfAborted();
    if (error instanceof Failure && error.message.startsWith('cannot start PostgreSQL')) {
      blameBackup(error.message, error);
    }
    throw error;
  }
}

async function listDatabases(scratch: PrivateServer): Promise<{ name: string; size: number }[]> {
  const session = await scratch.connect();
  try {
    const { rows } = await session.query<{ name: string; size: string }>(
      `SELECT datname AS name, pg_catalog.pg_database_size(oid) AS size FROM pg_catalog.pg_database
        WHERE datallowconn ORDER BY 1`,
    );
    return rows.map(({ name, size }) => ({ name, size: Number(size) }));
  } finally {
    await session.end();
  }
}

async function readAll(job: Job, scratch: PrivateServer, name: string, what: string): Promise<void> {
  const session = await scratch.connect(name);
  const progress = tellProgress(what, job.report);
  try {
    await fingerprintTables(session, {
      onTable: (done, total) => progress.tell(done, total, `${name}: table ${done} of ${total}`),
    });
  } catch (error) {
    job.signal.throwIfAborted();
    blameBackup(`started, its database ${name} cannot be read: ${messageOf(error)}`, error);
  } finally {
    await session.end();
  }
}

/** So many are named; the first tells enough. */
const TOLD = 3;

/** What is damaged here is damaged in the database itself: the backup is as good as that, and a person has to know. */
async function compareIndexes(job: Job, scratch: PrivateServer, name: string, id: string): Promise<void> {
  const session = await scratch.connect(name);
  const progress = tellProgress(`comparing the indexes of ${id}`, job.report);
  try {
    const found = await checkIndexes(session, (done, total) =>
      progress.tell(done, total, `${name}: index ${done} of ${total}`),
    );
    if (found === undefined || found.damaged.length === 0) return;
    const more = found.damaged.length > TOLD ? ` and ${found.damaged.length - TOLD} more` : '';
    job.note(
      `indexes of the database ${name} do not fit their tables, in ${id} as in the database itself: ${found.damaged.slice(0, TOLD).join('; ')}${more}; rebuild each in bulkhead db psql: REINDEX INDEX …`,
    );
  } finally {
    await session.end();
  }
}
