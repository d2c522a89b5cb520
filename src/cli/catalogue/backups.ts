/** The commands about backups. */
import { BACKUP_KINDS, VERIFY_LEVELS } from '../../protocol/backups.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec, OptionSpec } from '../command.ts';
import { ANY_NUMBER, CONFIG_OPTIONS, OPERATION_OPTIONS } from './options.ts';

const { unknownName, refused, invalidConfiguration, unreachable, timedOut } = CommandExit;
const LEVEL: OptionSpec = {
  name: 'level',
  value: 'LEVEL',
  oneOf: VERIFY_LEVELS,
  summary: 'how deeply: files (hashes), readable (read to the end), restored (into a scratch cluster)',
};

const WAIT: OptionSpec = {
  name: 'wait',
  summary: 'while another backup, verification or restore runs, wait instead of refusing',
};

const IDENTITY: OptionSpec = {
  name: 'identity',
  value: 'FILE',
  summary: 'the key of an encrypted one (BACKUP_IDENTITY_FILE)',
};

export const BACKUPS: readonly CommandSpec[] = [
  {
    name: 'backup run',
    summary: 'make a backup, verify it, copy it offsite, remove those that no rule keeps',
    usage: 'daily|base|assets|config',
    arity: { least: 1, most: 1 },
    options: [LEVEL, { name: 'full', summary: 'read every asset, also those that seem unchanged' }, WAIT],
    exits: [refused, unreachable],
    examples: ['bulkhead backup run daily', 'bulkhead backup run assets --full'],
    load: () => import('../commands/backup-run.ts'),
  },
  {
    name: 'backup list',
    summary: 'the backups of the volume, newest first; needs no supervisor',
    options: [
      { name: 'kind', value: 'KIND', oneOf: BACKUP_KINDS, summary: `only ${BACKUP_KINDS.join(', ')}` },
      { name: 'offsite', summary: 'the copies in the store of backups.offsite instead' },
      ...CONFIG_OPTIONS,
    ],
    exits: [refused, invalidConfiguration],
    examples: ['bulkhead backup list --json', 'bulkhead backup list --offsite'],
    load: () => import('../commands/backup-list.ts'),
  },
  {
    name: 'backup verify',
    summary:
      'show that the newest backup of the database, or those named, are good, up to restoring them; needs no supervisor',
    usage: '[BACKUP…]',
    arity: { least: 0, most: ANY_NUMBER },
    options: [LEVEL, { name: 'all', summary: 'every backup there is' }, WAIT, ...CONFIG_OPTIONS],
    exits: [unknownName, refused, invalidConfiguration],
    examples: ['bulkhead backup verify latest', 'bulkhead backup verify --all --level files'],
    load: () => import('../commands/backup-verify.ts'),
  },
  {
    name: 'backup restore',
    summary: 'put a backup, or a dump of anybody, in its place; what was there is kept. Needs no supervisor',
    usage: 'BACKUP|FILE',
    arity: { least: 0, most: 1 },
    options: [
      {
        name: 'to-time',
        value: 'TIME',
        summary:
          'instead of a backup, a moment: 2026-11-21T08:15:00Z, or 10m, ten minutes ago (backups.point_in_time)',
      },
      { name: 'to-latest', summary: 'instead of a backup, the end of what is archived' },
      {
        name: 'from-offsite',
        summary: 'of the copies in the store of backups.offsite: fetched, checked, restored',
      },
      IDENTITY,
      {
        name: 'kind',
        value: 'KIND',
        oneOf: ['database', 'assets', 'config'],
        summary: 'of which kind `latest` is meant: database, assets or config (database)',
      },
      { name: 'replace', summary: 'put it in the place of what is there, which is kept' },
      ...OPERATION_OPTIONS,
      ...CONFIG_OPTIONS,
    ],
    exits: [unknownName, refused, invalidConfiguration, timedOut],
    examples: [
      'bulkhead backup restore latest --dry-run',
      'bulkhead backup restore --to-time 2026-11-21T08:15:00Z',
      'docker run --rm -v data:/data --entrypoint bulkhead IMAGE backup restore latest --yes',
      'bulkhead backup restore latest --from-offsite',
      'bulkhead backup restore latest --kind assets --replace',
    ],
    load: () => import('../commands/backup-restore.ts'),
  },
  {
    name: 'backup prune',
    summary: 'remove the backups that no rule of backups.keep keeps',
    options: [{ name: 'dry-run', summary: 'tell what would be removed and why, remove nothing' }],
    exits: [refused, unreachable],
    examples: ['bulkhead backup prune --dry-run'],
    load: () => import('../commands/backup-prune.ts'),
  },
  {
    name: 'backup pin',
    summary: 'never remove this backup',
    usage: 'BACKUP',
    arity: { least: 1, most: 1 },
    exits: [refused, unreachable],
    examples: ['bulkhead backup pin latest'],
    load: () => import('../commands/backup-pin.ts'),
  },
  {
    name: 'backup unpin',
    summary: 'let the rules decide about it again',
    usage: 'BACKUP',
    arity: { least: 1, most: 1 },
    exits: [refused, unreachable],
    load: () => import('../commands/backup-pin.ts'),
  },
  {
    name: 'backup fetch',
    summary: 'bring a copy back from offsite, checked; without a name, list the copies. Needs no supervisor',
    usage: '[BACKUP]',
    arity: { least: 0, most: 1 },
    options: CONFIG_OPTIONS,
    exits: [unknownName, refused, invalidConfiguration],
    examples: ['bulkhead backup fetch 20261121T020000Z-dump-3f9ac1'],
    load: () => import('../commands/backup-fetch.ts'),
  },
  {
    name: 'backup unpack',
    summary: 'write assets, configuration or an encrypted dump of a backup into a new folder',
    usage: 'BACKUP FOLDER',
    arity: { least: 2, most: 2 },
    options: [IDENTITY],
    exits: [unknownName, refused, unreachable],
    examples: ['bulkhead backup unpack latest /data/restored'],
    load: () => import('../commands/backup-unpack.ts'),
  },
];
