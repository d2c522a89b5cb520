/** How far PostgreSQL is in replaying its write-ahead log, from what it says of it now and then and where the log ends. */
import { formatDuration } from '../base/duration.ts';
import { formatSize } from '../base/size.ts';
import type { Report } from '../protocol/channel.ts';
import type { Progress } from '../protocol/status.ts';

/** PostgreSQL 15 and newer, every `log_startup_progress_interval`; then it is done, or serves. */
const LINE =
  /redo in progress, elapsed time: ([\d.]+) s, current LSN: ([0-9A-F]+)\/([0-9A-F]+)|redo done at|ready to accept connections/;

/** Tells every line of the server from now on; what it returns ends that. */
export type FollowLines = (heard: (line: string) => void) => () => void;

/** Until the replay is done. Where the server says nothing, nothing is told but the size of it. @returns gives it up */
export function followRecovery(
  { from, to }: Extract<Report, { readonly type: 'recovery' }>,
  follow: FollowLines,
  tell: (progress: Progress) => void,
): () => void {
  const what = 'replaying the write-ahead log';
  const total = Math.max(1, to - from);
  tell({ what, percent: undefined, detail: formatSize(total) });
  const leave = follow((line) => {
    const found = LINE.exec(line);
    if (found === null) return;
    const [, elapsed, high, low] = found;
    if (elapsed === undefined || high === undefined || low === undefined) return leave();
    const at = Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
    const done = Math.min(total, Math.max(0, at - from));
    const left = done === 0 ? 0 : (Number(elapsed) * (total - done)) / done;
    const known = left >= 1 ? `, about ${formatDuration(Math.round(left) * 1000)} left` : '';
    tell({
      what,
      percent: Math.floor((100 * done) / total),
      detail: `${formatSize(done)} of ${formatSize(total)}${known}`,
    });
  });
  return leave;
}
