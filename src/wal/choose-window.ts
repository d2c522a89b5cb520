/** Which base backup and timeline lead to a moment. Pure. */
import type { Moment } from './moment.ts';
import type { Window } from './windows.ts';

/**
 * The window of the timeline that was lived in at that moment: after a return to an earlier one, the hours between are
 * the old timeline's. Of its base backups the newest before the moment, which has the least to replay.
 *
 * The end of the log is that of the timeline that is lived in: a number may be higher and have been left by a return to
 * the cluster of before.
 *
 * @param begun when a timeline was begun, in ms since the epoch; undefined for the first
 * @param living the timeline of the cluster in use; undefined: it is of another line, or there is none
 */
export function chooseWindow(
  windows: readonly Window[],
  moment: Moment,
  begun: (timeline: number) => number | undefined,
  living: number | undefined,
): Window | undefined {
  const timelines = [...new Set(windows.map(({ timeline }) => timeline))].sort((a, b) => b - a);
  if (moment.text === undefined) {
    const end = windows.some(({ timeline }) => timeline === living) ? living : latest(windows);
    return newest(windows.filter(({ timeline }) => timeline === end));
  }
  for (const timeline of timelines) {
    if ((begun(timeline) ?? 0) > moment.at) continue;
    const found = newest(
      windows.filter((window) => window.timeline === timeline && holds(window, moment.at)),
    );
    if (found) return found;
  }
  return undefined;
}

function holds({ from, to }: Window, at: number): boolean {
  return Date.parse(from) <= at && at <= Date.parse(to);
}

/** The timeline that was written to last. */
function latest(windows: readonly Window[]): number | undefined {
  const order = (a: Window, b: Window): number =>
    Date.parse(b.to) - Date.parse(a.to) || b.timeline - a.timeline;
  return windows.toSorted(order)[0]?.timeline;
}

function newest(windows: readonly Window[]): Window | undefined {
  return windows.reduce<Window | undefined>(
    (best, window) => (best && Date.parse(best.from) >= Date.parse(window.from) ? best : window),
    undefined,
  );
}
