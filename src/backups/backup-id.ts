/** Names of backups: `20261121T020000Z-dump-3f9ac1`. What is called otherwise is not ours, and never touched. */
import { randomBytes } from 'node:crypto';
import { BACKUP_KINDS, type BackupKind } from '../protocol/backups.ts';

const FORM = new RegExp(`^(\\d{8}T\\d{6}Z)-(${BACKUP_KINDS.join('|')})-[0-9a-f]{6}$`);

export function makeBackupId(kind: BackupKind, at: Date): string {
  const stamp = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${stamp}-${kind}-${randomBytes(3).toString('hex')}`;
}

/** Undefined where the name is no id. `at`: ISO 8601, to the second. */
export function parseBackupId(name: string): { readonly at: string; readonly kind: BackupKind } | undefined {
  const found = FORM.exec(name);
  const kind = BACKUP_KINDS.find((each) => each === found?.[2]);
  const at = found?.[1]?.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  return kind === undefined || at === undefined || Number.isNaN(Date.parse(at)) ? undefined : { at, kind };
}
