/** To which moments one can go back, as text for people. */
import { formatDuration } from '../base/duration.ts';
import type { MomentsView, MomentWindow } from '../protocol/backups.ts';
import type { PointInTimePlan, PointInTimeResult, TableCounts } from '../protocol/point-in-time.ts';
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

/** A segment is finished after five minutes at most, and archived in well under one. */
const LATE_MS = 10 * 60_000;

/** Below the table of backups. */
export function renderMoments(moments: MomentsView, view: TextView): string {
  const { width, paint } = view;
  const lines = mergeWindows(moments.windows).map((window) => ({
    tone: 'dim' as const,
    text: tellWindow(window),
  }));
  const warnings = problemsOf(moments, view.now).map((text) => ({ tone: 'warn' as const, text }));
  const none = { tone: 'warn' as const, text: 'no moment can be gone back to yet: bulkhead backup run base' };
  return [...(lines.length > 0 ? lines : [none]), ...warnings]
    .map(({ tone, text }) => wrapped(text, width, tone, paint))
    .join('\n');
}

/** What is wrong with the archive now, a sentence each; empty where nothing is. */
export function problemsOf({ gaps, waiting, waitingSince }: MomentsView, now: number): string[] {
  const open = gaps.filter(({ until }) => until === undefined);
  const late = waitingSince !== undefined && now - Date.parse(waitingSince) > LATE_MS;
  return [
    ...open.map(({ since, reason }) => {
      const why = reason === 'off' ? 'point_in_time was off' : 'too little of the disk was free';
      return `nothing is archived since ${since}: ${why}; the next base backup ends that: bulkhead backup run base`;
    }),
    ...(late
      ? [
          `${waiting} segments wait to be archived, the oldest for ${ageOf(waitingSince, now)}: bulkhead logs database`,
        ]
      : []),
  ];
}

/** Several base backups on one unbroken log are one stretch of moments. */
function mergeWindows(windows: readonly MomentWindow[]): MomentWindow[] {
  const merged: MomentWindow[] = [];
  for (const window of windows) {
    const before = merged.find(({ timeline, to }) => timeline === window.timeline && to >= window.from);
    if (before) merged[merged.indexOf(before)] = { ...window, base: before.base, from: before.from };
    else merged.push(window);
  }
  return merged;
}

function tellWindow({ from, to, hole }: MomentWindow): string {
  const until = hole === undefined ? to : `${to}, then ${hole} is missing`;
  return `back to any moment from ${from} to ${until}`;
}

/** Of a restore of something as old as `at`: that the archived log knows more; undefined where it does not. */
export function describeBetter(
  moments: MomentsView | undefined,
  at: string,
  now: number,
): string | undefined {
  const last = moments?.windows.at(-1);
  if (last === undefined || Date.parse(last.to) <= Date.parse(at)) return undefined;
  return `The archived log goes on until ${last.to}, ${ageOf(last.to, now)} ago: bulkhead backup restore --to-latest brings that back as well.`;
}

/** What it will do, before it does it. */
export function describeReturn(plan: PointInTimePlan, now: number): string {
  const { to, base, until, segments, replaces } = plan;
  const moment = to ?? until;
  return [
    `From ${base} and up to ${segments} segments of archived log, a cluster as it was ${
      to === undefined ? `at the end of the log, ${until}` : `at ${to}`
    }.`,
    `${replaces ? 'It is made beside the one in use' : 'There is no cluster in use'}. What was written in the ${ageOf(moment, now)} since then is not in it.`,
  ].join('\n');
}

/** Every table in which the two differ, and how many do not. */
export function renderReturn(result: PointInTimeResult, { width, paint }: TextView): string {
  const different = result.tables.filter(({ live, restored }) => live !== restored);
  const same = result.tables.length - different.length;
  const reached =
    result.reached === undefined ? 'the base backup itself' : `a transaction of ${result.reached}`;
  return [
    `recovered in ${formatDuration(result.durationMs)}; the last thing in it is ${reached} (${result.lsn})`,
    ...(different.length > 0 ? renderTable(COLUMNS, different, width, paint) : []),
    `${same} ${different.length > 0 ? 'other ' : ''}table${same === 1 ? ' has' : 's have'} as many rows as now`,
  ].join('\n');
}

const COLUMNS: readonly Column<TableCounts>[] = [
  { title: 'DATABASE', cell: ({ database }) => ({ text: tameLine(database) }) },
  { title: 'TABLE', flexible: true, cell: ({ table }) => ({ text: tameLine(table), tone: 'strong' }) },
  { title: 'ROWS NOW', align: 'right', cell: ({ live }) => rows(live) },
  { title: 'RECOVERED', align: 'right', cell: ({ restored }) => rows(restored) },
];

function rows(count: number | undefined): ReturnType<Column<TableCounts>['cell']> {
  return count === undefined ? { text: '-', tone: 'dim' } : { text: count.toLocaleString('en-US') };
}
