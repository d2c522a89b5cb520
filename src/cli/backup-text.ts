/** Backups as text for people. */
import { formatDuration } from '../base/duration.ts';
import { formatSize } from '../base/size.ts';
import {
  type BackupLabel,
  type BackupList,
  type BackupView,
  isProven,
  lastRestorable,
  type PruneResult,
  type VerifyLevel,
  type VerifyResult,
} from '../protocol/backups.ts';
import { ageOf } from './status-text.ts';
import { type Column, renderTable } from './table.ts';
import { type Paint, tameLine, wrapped } from './terminal.ts';

interface TextView {
  /** Columns of the terminal. */
  readonly width: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly paint: Paint;
}

export interface BackupsView extends TextView {
  readonly dataDir: string;
}

/** The table, and below it what could be restored now. */
export function renderBackups({ backups, lastRun }: BackupList, view: BackupsView): string {
  const { dataDir, width, now, paint } = view;
  const alarm =
    lastRun?.ok === false
      ? wrapped(`the last run failed: ${tameLine(lastRun.problem ?? 'unknown why')}`, width, 'bad', paint)
      : undefined;
  if (backups.length === 0) {
    return [`no backups in ${dataDir}/backups. Make one: bulkhead backup run daily`, alarm]
      .filter(Boolean)
      .join('\n');
  }
  return [
    ...renderTable(columns(now), backups, width, paint),
    '',
    wrapped(tellRestorable(backups, now), width, lastRestorable(backups) ? 'dim' : 'warn', paint),
    ...(alarm === undefined ? [] : [alarm]),
  ].join('\n');
}

/** Of those in a store. */
export function renderCopies(
  backups: readonly BackupView[],
  where: string,
  { width, now, paint }: TextView,
): string {
  if (backups.length === 0) return `there are no copies in ${where}`;
  const columnsOfCopies = columns(now).filter(({ title }) => title !== 'OFFSITE');
  return [
    ...renderTable(columnsOfCopies, backups, width, paint),
    '',
    wrapped(
      `in ${where}. Bring one back: bulkhead backup restore BACKUP --from-offsite`,
      width,
      'dim',
      paint,
    ),
  ].join('\n');
}

/** What people are told of how far back a disaster would throw them. */
export function tellRestorable(backups: readonly BackupView[], now: number): string {
  const last = lastRestorable(backups);
  const isThere = backups.some(({ kind }) => kind === 'dump' || kind === 'base');
  if (!isThere) return 'there is no backup of the database. Make one: bulkhead backup run daily';
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
      cell: ({ broken, verified, pinned, label }) =>
        broken !== undefined
          ? { text: tameLine(`broken: ${broken}`), tone: 'bad' }
          : verified?.problem !== undefined
            ? { text: tameLine(verified.problem), tone: 'bad' }
            : {
                text: [...(pinned ? ['pinned'] : []), ...(label ? [LABELS[label]] : [])].join(', '),
                tone: 'dim',
              },
    },
  ];
}

const LABELS: Readonly<Record<BackupLabel, string>> = { 'before-migration': 'before a migration' };

function describeVerified({ verified }: BackupView): ReturnType<Column<BackupView>['cell']> {
  if (verified === undefined) return { text: 'no', tone: 'warn' };
  if (!verified.ok) return { text: 'FAILED', tone: 'bad' };
  return { text: verified.level, tone: isProven(verified) ? 'good' : 'warn' };
}

const SHOWN: Readonly<Record<VerifyLevel, string>> = {
  files: 'every file has its hash; that it can be restored was not tried',
  readable: 'read to its end',
  restored: 'restored into a scratch cluster, every table equal',
};

/** One verification, with its speed. */
export function describeVerify({ ok, level, problem, durationMs, bytes, id }: VerifyResult): string {
  if (!ok) return `BAD: ${tameLine(problem ?? 'it cannot be used')}`;
  const speed = durationMs > 0 ? `, ${formatSize((bytes * 1000) / durationMs)}/s` : '';
  const shown =
    level === 'restored' && id.includes('-base-') ? 'a copy started and every row was read' : SHOWN[level];
  return `verified: ${shown} (${formatDuration(durationMs)}${speed})`;
}

/** Every backup with what becomes of it and why. */
export function renderPruning({ backups, held, dryRun }: PruneResult, view: TextView): string {
  const { width, now, paint } = view;
  const gone = backups.filter(({ keep }) => !keep);
  const freed = gone.reduce((sum, { size }) => sum + size, 0);
  const summary =
    gone.length === 0
      ? 'nothing to remove'
      : `${gone.length} of ${backups.length} ${dryRun ? 'would be removed' : 'removed'}, ${formatSize(freed)}`;
  return [
    ...(backups.length === 0 ? [] : [...renderTable(pruneColumns(now, dryRun), backups, width, paint), '']),
    summary,
    ...held.map((why) => wrapped(`held back: ${why}`, width, 'warn', paint)),
  ].join('\n');
}

function pruneColumns(now: number, dryRun: boolean): readonly Column<PruneResult['backups'][number]>[] {
  return [
    { title: 'BACKUP', cell: ({ id }) => ({ text: id, tone: 'strong' }) },
    { title: 'AGE', align: 'right', cell: ({ startedAt }) => ({ text: ageOf(startedAt, now) }) },
    { title: 'SIZE', align: 'right', cell: ({ size }) => ({ text: formatSize(size) }) },
    {
      title: '',
      cell: ({ keep }) =>
        keep ? { text: 'keep', tone: 'good' } : { text: dryRun ? 'remove' : 'removed', tone: 'warn' },
    },
    {
      title: 'WHY',
      flexible: true,
      cell: ({ reasons }) => ({ text: tameLine(reasons.join('; ')), tone: 'dim' }),
    },
  ];
}
