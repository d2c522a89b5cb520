/** Which base backup and timeline lead to a moment. Pure. */
import type { Moment } from './moment.ts';
import type { Window } from './windows.ts';

/**
 * The window of the timeline that was lived in at that moment: after a return to an earlier one, the hours between are
 * the old timeline's. Of its base backups the newest before the moment, which has the least to replay.
 *
 * @param begun when a timeline was begun, in ms since the epoch; undefined for the first
 */
export function chooseWindow(
  windows: readonly Window[],
  moment: Moment,
  begun: (timeline: number) => number | undefined,
): Window | undefined {
  const timelines = [...new Set(windows.map(({ timeline }) => timeline))].sort((a, b) => b - a);
  if (moment.text === undefined) return newest(windows.filter(({ timeline }) => timeline === timelines[0]));
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

function newest(windows: readonly Window[]): Window | undefined {
  return windows.reduce<Window | undefined>(
    (best, window) => (best && Date.parse(best.from) >= Date.parse(window.from) ? best : window),
    undefined,
  );
}
