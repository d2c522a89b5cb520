/** The copies of the store that the plan names. */
import { Failure } from '../../base/errors.ts';
import type { Job } from '../../program/job.ts';
import type { BackupKind, BackupView } from '../../protocol/backups.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { FarBackup } from './far-shelf.ts';
import type { Store } from './store.ts';

/** Reads what is there and lets `work` have it, newest first. Throws a Failure where the plan names no place. */
export async function withFarShelf<T>(
  job: Job,
  work: (store: Store, shelf: readonly FarBackup[]) => Promise<T>,
): Promise<T> {
  const { offsite } = job.backups;
  if (offsite === undefined) {
    throw new Failure('cannot look for copies: the plan names no place for them', {
      remedy: 'write backups.offsite into the plan',
      exitCode: CommandExit.refused,
    });
  }
  // The client costs a tenth of a second and some megabytes.
  const [{ openS3Store }, { readFarShelf }] = await Promise.all([
    import('./s3-store.ts'),
    import('./far-shelf.ts'),
  ]);
  const store = openS3Store(offsite, job.signal);
  try {
    return await work(store, await readFarShelf(store));
  } finally {
    store.close();
  }
}

/** `wanted`: an id, a beginning of it that no other has, or `latest`. Throws a Failure where it is not one of them. */
export function findFar(
  shelf: readonly FarBackup[],
  wanted: string,
  where: string,
  kinds: readonly BackupKind[],
): FarBackup {
  const among = shelf.filter(({ kind }) => kinds.includes(kind));
  const found = wanted === 'latest' ? among.slice(0, 1) : among.filter(({ id }) => id.startsWith(wanted));
  const [far] = found;
  if (far !== undefined && found.length === 1) return far;
  const why = found.length === 0 ? 'there is no copy of it' : `${found.length} begin like that`;
  throw new Failure(`cannot fetch ${wanted}: ${why} in ${where}`, {
    remedy: 'see which there are: bulkhead backup list --offsite',
    exitCode: CommandExit.unknownName,
  });
}

export function farView({ id, kind, manifest, verified }: FarBackup, where: string): BackupView {
  const size = manifest.files.reduce((sum, file) => sum + file.size, 0);
  const { startedAt } = manifest;
  return { id, kind, startedAt, size, verified, pinned: false, offsite: [where], broken: undefined };
}
