/** The part of a run that leaves the machine. It never harms what is here. */
import { codeOf, Failure, messageOf } from '../../base/errors.ts';
import { formatSize } from '../../base/size.ts';
import { readIdentity } from '../../postgres/identity.ts';
import { layoutOf } from '../../postgres/layout.ts';
import type { Job } from '../../program/job.ts';
import { tellProgress } from '../../program/progress.ts';
import { blobsOf } from '../make-files.ts';
import { readShelf, type ShelvedBackup } from '../shelf.ts';

/** Under the lock. Undefined: everything is there, or nothing is to be. */
export async function copyOffsite(job: Job, root: string): Promise<Failure | undefined> {
  const { offsite, recipients, keep } = job.backups;
  if (offsite === undefined) return undefined;
  // The client costs a tenth of a second and some megabytes.
  const [{ openS3Store }, { syncOffsite }] = await Promise.all([
    import('./s3-store.ts'),
    import('./sync-offsite.ts'),
  ]);
  const store = openS3Store(offsite, job.signal);
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const progress = tellProgress(`copying to ${store.where}`, job.report);
  try {
    const { copied, removed, bytes } = await syncOffsite({
      store,
      shelf: readShelf(root).filter((backup) => mayLeave(backup, recipients)),
      blobs: blobsOf(root),
      rules: keep,
      installId: readIdentity(layout.identity)?.installId,
      now: Date.now(),
      onProgress: (objects, done) => progress.tell(objects, 0, `${objects} objects, ${formatSize(done)}`),
    });
    if (copied.length > 0) job.say(`copied to ${store.where}: ${copied.join(', ')} (${formatSize(bytes)})`);
    if (removed.length > 0) job.say(`removed from ${store.where}: ${removed.join(', ')}`);
    return undefined;
  } catch (error) {
    job.signal.throwIfAborted();
    const failure = error instanceof Failure ? error : new Failure(messageOf(error), { cause: error });
    job.say(
      `not copied to ${store.where}: ${failure.message}${codeOf(error) === 'offsite' ? '; the next run goes on' : ''}`,
    );
    return failure;
  } finally {
    store.close();
  }
}

/** Where people want a database encrypted, none leaves the machine in plain. Assets are never encrypted. */
function mayLeave({ kind, manifest }: ShelvedBackup, recipients: readonly string[]): boolean {
  return recipients.length === 0 || kind === 'assets' || manifest?.recipients !== undefined;
}
