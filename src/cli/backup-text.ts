/** Backups as text for people. */
import { formatSize } from '../base/size.ts';
import { type BackupView, isProven } from '../protocol/backups.ts';
import { ageOf } from './status-text.ts';
import { type Column, renderTable } from './table.ts';
import { type Paint, tameLine, wrapped } from './terminal.ts';

export interface BackupsView {
  readonly dataDir: string;
  /** Columns of the terminal. */
  readonly width: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly paint: Paint;
}

/** The table, and below it what could be restored now. */
export function renderBackups(backups: readonly BackupView[], view: BackupsView): string {
  const { dataDir, width, now, paint } = view;
  if (backups.length === 0) return `no backups in ${dataDir}/backups. Make one: bulkhead backup run daily`;
  return [
    ...renderTable(columns(now), backups, width, paint),
    '',
    wrapped(tellRestorable(backups, now), width, isRestorable(backups) ? 'dim' : 'warn', paint),
  ].join('\n');
}

/** The newest that was proven to hold a database and has not been damaged since, as far as a look shows. */
function lastRestorable(backups: readonly BackupView[]): BackupView | undefined {
  return backups.find(
    ({ kind, verified, broken }) =>
      (kind === 'dump' || kind === 'base') && broken === undefined && isProven(verified),
  );
}

function isRestorable(backups: readonly BackupView[]): boolean {
  return lastRestorable(backups) !== undefined;
}

function tellRestorable(backups: readonly BackupView[], now: number): string {
  const last = lastRestorable(backups);
  return last === undefined
    ? 'no backup of the database is known to be good. Verify one: bulkhead backup verify latest'
    : `last restorable backup: ${last.id}, ${ageOf(last.startedAt, now)} old`;
}

function columns(now: number): readonly Column<BackupView>[] {
  return [
    { title: 'BACKUP', cell: ({ id }) => ({ text: id, tone: 'strong' }) },
    { title: 'AGE', align: 'right', cell: ({ startedAt }) => ({ text: ageOf(startedAt, now) }) },
    { title: 'SIZE', align: 'right', cell: ({ size }) => ({ text: formatSize(size) }) },
    { title: 'VERIFIED', cell: describeVerified },
    {
      title: 'OFFSITE',
      from: 'medium',
      cell: ({ offsite }) =>
        offsite.length === 0 ? { text: '-', tone: 'dim' } : { text: 'yes', tone: 'good' },
    },
    {
      title: '',
      flexible: true,
      cell: ({ broken, verified, pinned }) =>
        broken !== undefined
          ? { text: tameLine(`broken: ${broken}`), tone: 'bad' }
          : verified?.problem !== undefined
            ? { text: tameLine(verified.problem), tone: 'bad' }
            : { text: pinned ? 'pinned' : '', tone: 'dim' },
    },
  ];
}

function describeVerified({ verified }: BackupView): ReturnType<Column<BackupView>['cell']> {
  if (verified === undefined) return { text: 'no', tone: 'warn' };
  if (!verified.ok) return { text: 'FAILED', tone: 'bad' };
  return { text: verified.level, tone: isProven(verified) ? 'good' : 'warn' };
}
