/** The program `fetch-backup`: what `bulkhead backup fetch` asks for. */
import { join } from 'node:path';
import { formatSize } from '../base/size.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { BACKUP_KINDS } from '../protocol/backups.ts';
import { lockBackups } from './backups-room.ts';
import { blobsOf } from './make-files.ts';
import { farView, findFar, withFarShelf } from './offsite/find-far.ts';
import { viewOf } from './shelf.ts';

/** Input: `id`, or a beginning of it that no other has, or `latest`; without it the answer is what there is. `kind`: no other. */
export async function runFetchBackup(job: Job): Promise<void> {
  const { id, kind } = job.assignment.input;
  await withFarShelf(job, async (store, shelf) => {
    const { where } = store;
    if (id === undefined) {
      job.report({ type: 'result', value: { where, list: shelf.map((far) => farView(far, where)) } });
      return;
    }
    const far = findFar(
      shelf,
      id,
      where,
      BACKUP_KINDS.filter((each) => kind === undefined || each === kind),
    );
    const { fetchBackup } = await import('./offsite/fetch.ts');
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
      job.report({ type: 'result', value: { where, fetched: viewOf(backup) } });
    } finally {
      lock.release();
    }
  });
}
