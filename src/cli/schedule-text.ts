/** Schedules as text for people. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { ScheduleEnd, ScheduleStatus } from '../protocol/schedules.ts';
import { renderTable } from './table.ts';
import { cutText, type Paint, tameLine } from './terminal.ts';

/** Lines of a table that fits the width. `now`: ms since the epoch. */
export function renderSchedules(
  schedules: readonly ScheduleStatus[],
  now: number,
  width: number | undefined,
  paint: Paint,
): string[] {
  return renderTable<ScheduleStatus>(
    [
      { title: 'SCHEDULE', cell: ({ name }) => ({ text: cutText(name, 24) }) },
      {
        title: 'STATUS',
        cell: ({ status }) => ({ text: status, tone: status === 'running' ? 'busy' : 'dim' }),
      },
      { title: 'NEXT', cell: ({ nextRun }) => ({ text: nextText(nextRun, now) }) },
      {
        title: 'LAST',
        cell: ({ lastRun }) => ({
          text:
            lastRun === undefined ? '-' : `${lastRun.ok ? 'ok' : 'failed'} ${agoText(lastRun.endedAt, now)}`,
          tone: lastRun?.ok === false ? 'bad' : 'good',
        }),
      },
      { title: 'TOOK', from: 'medium', align: 'right', cell: ({ lastRun }) => ({ text: tookText(lastRun) }) },
      {
        title: 'WHEN',
        flexible: true,
        cell: ({ reason, doing, lastRun }) => ({
          text: tameLine([reason, doing ?? lastRun?.reason].filter(Boolean).join('; ')),
          tone: 'dim',
        }),
      },
    ],
    schedules,
    width,
    paint,
  );
}

/** How a run ended, as a sentence. */
export function describeEnd(name: string, end: ScheduleEnd): string {
  const took = formatDuration(Date.parse(end.endedAt) - Date.parse(end.startedAt));
  if (!end.ok) return `${name} failed after ${took}: ${tameLine(end.reason)}`;
  return end.reason === '' ? `${name} ran, ${took}` : `${name}: ${tameLine(end.reason)}`;
}

function nextText(next: string | undefined, now: number): string {
  if (next === undefined) return '-';
  return `in ${formatDuration(Math.max(0, Date.parse(next) - now))}`;
}

function agoText(at: string, now: number): string {
  return `${formatDuration(Math.max(0, now - Date.parse(at)))} ago`;
}

function tookText(end: ScheduleEnd | undefined): string {
  return end === undefined ? '-' : formatDuration(Date.parse(end.endedAt) - Date.parse(end.startedAt));
}
