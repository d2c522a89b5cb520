/** The commands about backups. */
import { BACKUP_KINDS } from '../../protocol/backups.ts';
import type { CommandSpec } from '../command.ts';

export const BACKUPS: readonly CommandSpec[] = [
  {
    name: 'backup list',
    summary: 'the backups of the volume, newest first; needs no supervisor',
    options: [
      { name: 'kind', value: 'KIND', oneOf: BACKUP_KINDS, summary: `only ${BACKUP_KINDS.join(', ')}` },
    ],
    examples: ['bulkhead backup list --json'],
    load: () => import('../commands/backup-list.ts'),
  },
];
