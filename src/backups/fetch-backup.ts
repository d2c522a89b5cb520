/** The program `fetch-backup`: what `bulkhead backup fetch` asks for. */
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { lockBackups } from './backups-room.ts';
import { blobsOf } from './make-files.ts';
import { viewOf } from './shelf.ts';

/** Input: `id`, or a beginning of it that no other has; without it the answer is what there is. */
export async function runFetchBackup(job: Job): Promise<void> {
  const { offsite } = job.backups;
  const { id } = job.assignment.input;
  if (offsite === undefined) {
    throw new Failure('cannot look for copies: the plan names no place for them', {
      remedy: 'write backups.offsite into the plan',
      exitCode: CommandExit.refused,
    });
  }
  const [{ openS3Store }, { readFarShelf }, { fetchBackup }] = await Promise.all([
    import('./offsite/s3-store.ts'),
    import('./offsite/far-shelf.ts'),
    import('./offsite/fetch.ts'),
  ]);
  const store = openS3Store(offsite, job.signal);
  try {
    const shelf = await readFarShelf(store);
    if (id === undefined) {
      const list = shelf.map(({ manifest, verified }) => ({
        id: manifest.id,
        startedAt: manifest.startedAt,
        verified,
      }));
      job.report({ type: 'result', value: { where: store.where, list } });
      return;
    }
    const found = shelf.filter((backup) => backup.id.startsWith(id));
    const [far] = found;
    if (far === undefined || found.length > 1) {
      throw new Failure(
        `cannot fetch ${id}: ${found.length === 0 ? 'there is no copy of it' : `${found.length} begin like that`} in ${store.where}`,
        {
          remedy: 'see which there are: bulkhead backup fetch',
          exitCode: CommandExit.unknownName,
        },
      );
    }
    const root = join(job.assignment.dataDir, 'backups');
    const lock = lockBackups(root);
    try {
      const progress = tellProgress(`fetching ${far.id}`, job.report);
      const total = far.kind === 'assets' ? 0 : far.manifest.files.reduce((sum, { size }) => sum + size, 0);
      const backup = await fetchBackup(store, far, {
        root,
        blobs: blobsOf(root),
        signal: job.signal,
        onProgress: (bytes) => progress.tell(bytes, total, formatSize(bytes)),
      });
      job.report({ type: 'result', value: { where: store.where, fetched: viewOf(backup) } });
    } finally {
      lock.release();
    }
  } finally {
    store.close();
  }
}
