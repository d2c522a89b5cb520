/** What the app tells of itself, as metrics. It is somebody's program: what has another shape is left out. */
import type { Samples } from './samples.ts';

/**
 * {"requests": {"2xx": 12}, "durations": {"bounds": [0.1, 1], "counts": [9, 2, 1], "sum": 3.5}, "activeUsers": 4}
 *
 * All but `activeUsers` since the app began; seconds. `counts` has one more than `bounds`, each without those before it.
 */
export interface AppFigures {
  readonly requests?: unknown;
  readonly durations?: unknown;
  readonly activeUsers?: unknown;
}

const LONGEST = 64 * 1024;
const PATIENCE_MS = 1000;
const MOST_BOUNDS = 30;

/** @throws where it does not answer with JSON */
export async function readApp(url: string): Promise<AppFigures> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' });
  const text = await answer.text();
  if (!answer.ok || text.length > LONGEST) throw new Error(`${url} answered ${answer.status}`);
  const figures: unknown = JSON.parse(text);
  if (!isObject(figures)) throw new Error(`${url} did not answer with an object`);
  return figures;
}

export function addApp(to: Samples, { requests, durations, activeUsers }: AppFigures): void {
  if (isObject(requests)) {
    for (const [status, count] of Object.entries(requests)) {
      if (/^[1-5]xx$/.test(status) && isCount(count))
        to.add('bulkhead_app_requests_total', count, { status });
    }
  }
  if (isCount(activeUsers)) to.add('bulkhead_app_active_users', activeUsers);
  if (!isObject(durations)) return;
  const { bounds, counts, sum } = durations;
  const fits =
    areCounts(bounds) &&
    areCounts(counts) &&
    bounds.length <= MOST_BOUNDS &&
    counts.length === bounds.length + 1;
  const rises = fits && bounds.every((bound, index) => bound > (bounds[index - 1] ?? 0));
  if (rises && isCount(sum)) to.addHistogram('bulkhead_app_request_duration_seconds', bounds, counts, sum);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function areCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
