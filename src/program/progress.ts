/** Says how far a long piece of work is, but not more often than anybody can read. */
import type { Report } from '../protocol/channel.ts';

export interface ProgressTeller {
  /** `done` and `total` in the same unit; `total` 0: the end is not known. */
  tell(done: number, total: number, detail: string): void;
}

const EVERY_MS = 250;

export function tellProgress(what: string, report: (report: Report) => void): ProgressTeller {
  let last = Number.NEGATIVE_INFINITY;
  return {
    tell: (done, total, detail) => {
      const now = performance.now();
      if (now - last < EVERY_MS && done < total) return;
      last = now;
      const percent = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : undefined;
      report({ type: 'progress', progress: { what, percent, detail } });
    },
  };
}

export function formatRows(rows: number): string {
  return `${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}`;
}
