/** How far a piece of work on so many bytes is, and how long it will take. */
import { formatDuration } from '../base/duration.ts';
import { formatSize } from '../base/size.ts';
import { tellProgress } from '../program/progress.ts';
import type { Report } from '../protocol/channel.ts';

/** What is told earlier is a guess of nothing. */
const LEAST_MS = 1000;

/** `done` of `total` bytes; the total may turn out to be wrong. */
export function tellBytes(
  what: string,
  total: number,
  report: (report: Report) => void,
): (done: number) => void {
  const progress = tellProgress(what, report);
  const began = performance.now();
  return (done) => {
    const so = Math.min(done, total);
    const spent = performance.now() - began;
    const left = so > 0 && spent > LEAST_MS ? `, ${formatDuration((spent * (total - so)) / so)} left` : '';
    progress.tell(so, total, `${formatSize(so)} of ${formatSize(total)}${so < total ? left : ''}`);
  };
}
