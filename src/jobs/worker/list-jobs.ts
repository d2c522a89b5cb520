/** One page of jobs that fits into one line of the channel. */
import type { JobList, JobsRequest, JobView } from '../../protocol/jobs.ts';
import type { Fallback } from '../fallback.ts';
import type { JobStore } from '../store.ts';

const USUAL = 50;
/** Bytes; a line of the channel holds 1 MB. */
const LONGEST_ANSWER = 900 * 1024;

/** @throws StoreAway, StoreRefusal `bad-cursor` */
export async function listJobs(
  { state, type, limit = USUAL, cursor }: Extract<JobsRequest, { op: 'list' }>,
  store: JobStore,
  fallback: Fallback,
): Promise<JobList> {
  const page = (from: JobStore, most: number): Promise<JobList> =>
    fallback.ask(from, (asked) => asked.list({ states: state, type, limit: most, cursor }));
  // What still runs in memory after the return stands above the rest, once.
  const rest =
    store !== fallback.memory && cursor === undefined ? (await page(fallback.memory, limit)).jobs : [];
  // A cursor stands behind a whole page only: one that is too long is asked for again, with fewer.
  for (let most = limit; ; most = Math.ceil(most / 2)) {
    const found = await page(store, most);
    const jobs: readonly JobView[] = rest.length === 0 ? found.jobs : [...rest, ...found.jobs];
    const shown = jobs.map(withoutHistory);
    if (most === 1 || Buffer.byteLength(JSON.stringify(shown)) <= LONGEST_ANSWER)
      return { ...found, jobs: shown };
  }
}

/** Who wants to know how one came about asks for that one. */
function withoutHistory({ history: _told, ...job }: JobView): JobView {
  return job;
}
