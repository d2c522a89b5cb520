/** What is asked of all jobs at once: lists, counts, pauses, and what another store hands over. */
import type { Durability, JobList } from '../../protocol/jobs.ts';
import type { JobRecord, ListFilter, Paused, TypeCounts } from '../store.ts';
import { readCursor, writeCursor } from './cursor.ts';
import type { RedisLink } from './redis-connection.ts';
import { adoptedFields, type FlatView, recordOf, seqOf } from './redis-job.ts';
import { EVERYTHING, notAdopted } from './words.ts';

export async function listJobs(
  link: RedisLink,
  { states = [], type = '', limit, cursor }: ListFilter,
  durability: Durability,
): Promise<JobList> {
  let from = cursor === undefined ? '+inf' : `(${readCursor(cursor, ['number'])[0]}`;
  const views: FlatView[] = [];
  for (;;) {
    const asked = [from, limit + 1 - views.length, type, ...states];
    const [seq, ...page] = await link.run<[string, ...FlatView[]]>('bhList', ...asked);
    views.push(...page);
    const last = views.length > limit ? views[limit - 1] : undefined;
    if (seq === '' || last) {
      const jobs = views.slice(0, limit).map((view) => recordOf(view, durability));
      return { jobs, ...(last ? { cursor: writeCursor([seqOf(last)]) } : {}) };
    }
    from = `(${seq}`;
  }
}

/** type, completed, failed, cancelled, active, waiting, retrying, the oldest that may run */
type Counted = [string, number, number, number, number, number, number, string];

export async function countJobs(link: RedisLink): Promise<Record<string, TypeCounts>> {
  const found: Record<string, TypeCounts> = {};
  for (const row of await link.run<Counted[]>('bhCounts')) {
    const [type, completed, failed, cancelled, active, waiting, retry, oldest] = row;
    if (completed + failed + cancelled + active + waiting === 0) continue;
    const counts = { created: waiting - retry, retry, active, completed, cancelled, failed };
    const since = oldest === '' ? {} : { oldestQueuedAt: new Date(Number(oldest)).toISOString() };
    found[type] = { counts, ...since };
  }
  return found;
}

export async function readPaused({ client, keys }: RedisLink): Promise<Paused> {
  const types = await client.smembers(keys.paused);
  return {
    all: types.includes(EVERYTHING),
    types: types.filter((type) => type !== EVERYTHING).toSorted(),
  };
}

export async function adoptJobs(link: RedisLink, jobs: readonly JobRecord[]): Promise<void> {
  for (const job of jobs) {
    if ((await adoptOne(link, job)) >= 0) continue;
    // Another has the key: kept all the same, and nothing that was told to be safe is gone without a word.
    const finishedAt = new Date().toISOString();
    await adoptOne(link, { ...job, state: 'cancelled', finishedAt, failure: notAdopted(job.type) });
  }
}

/** -1: its singleton key is taken. */
function adoptOne(link: RedisLink, job: JobRecord): Promise<number> {
  const state = job.state === 'active' ? 'retry' : job.state;
  const at = job.startAfter === undefined ? 0 : Date.parse(job.startAfter);
  return link.run('bhAdopt', job.type, job.id, state, job.singletonKey ?? '', at, ...adoptedFields(job));
}
