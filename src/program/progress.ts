/** Says how far a long piece of work is, but not more often than anybody can read. */
import { formatDuration } from '../base/duration.ts';
import type { Report } from '../protocol/channel.ts';

export interface ProgressTeller {
  /** `done` and `total` in the same unit; `total` 0: the end is not known. */
  tell(done: number, total: number, detail: string): void;
}

const EVERY_MS = 250;
/** A line of the log: at every tenth, and after this time. */
const LINE_EVERY_MS = 10_000;
/** Work that is done sooner needs no line of its own. */
const NO_LINE_BEFORE_MS = 2_000;

/** `say`: also a line of the log, now and then. The remaining time is what is left at the pace so far. */
export function tellProgress(
  what: string,
  report: (report: Report) => void,
  say?: (text: string) => void,
): ProgressTeller {
  const began = performance.now();
  let last = Number.NEGATIVE_INFINITY;
  let lastLine = began;
  let lastTenth = 0;
  return {
    tell: (done, total, progressed) => {
      const now = performance.now();
      if (now - last < EVERY_MS && done < total) return;
      last = now;
      const percent = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : undefined;
      const left = total > 0 && done > 0 ? ((now - began) * (total - done)) / done : 0;
      const known = now - began >= NO_LINE_BEFORE_MS && left >= 1000;
      const detail = known
        ? `${progressed}, about ${formatDuration(Math.round(left / 1000) * 1000)} left`
        : progressed;
      report({ type: 'progress', progress: { what, percent, detail } });
      const tenth = Math.floor((percent ?? 0) / 10);
      if (!say || now - began < NO_LINE_BEFORE_MS) return;
      if (tenth === lastTenth && now - lastLine < LINE_EVERY_MS) return;
      lastTenth = tenth;
      lastLine = now;
      say(`${what}: ${percent === undefined ? '' : `${percent} %, `}${detail}`);
    },
  };
}

export function formatRows(rows: number): string {
  return `${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}`;
}
