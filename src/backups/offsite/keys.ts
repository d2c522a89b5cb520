/** Where objects lie below the prefix: as on the volume, so that plain tools can copy all of it back. */
import type { BackupKind } from '../../protocol/backups.ts';

export const BLOBS = 'assets/blobs';

export function backupKey(
  { kind, id }: { readonly kind: BackupKind; readonly id: string },
  file: string,
): string {
  return `${kind}/${id}/${file}`;
}

export function blobKey(sha256: string): string {
  return `${BLOBS}/${sha256.slice(0, 2)}/${sha256}`;
}
