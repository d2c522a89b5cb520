/** BullMQ's own part: it adds a job, and hands out the best of a type. One queue per type, all on one connection. */
import { randomUUID } from 'node:crypto';
import { Queue, type RedisQueueBackend } from 'bullmq';
import type { Claim, NewJob } from '../store.ts';
import type { RedisLink } from './redis-connection.ts';
import { claimOf, dataOf, type Flat, priorityOf } from './redis-job.ts';

/** BullMQ's lock holds the token of who claimed; until the script that makes it last has said so. The lease is ours. */
const LOCK_MS = 3_600_000;
/** Of the stream of events that BullMQ writes for others. */
const EVENTS_KEPT = 100;

export class RedisQueues {
  readonly #queues = new Map<string, Queue>();
  readonly #leaseMs: number;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  open(link: RedisLink, type: string): Queue {
    const known = this.#queues.get(type);
    if (known) return known;
    const options = {
      connection: link.client,
      prefix: link.prefix,
      skipVersionCheck: true,
      skipWaitingForReady: true,
      streams: { events: { maxLen: EVENTS_KEPT } },
      // Read by the backend when it hands out; a queue alone has no name for it.
      lockDuration: LOCK_MS,
    };
    const queue = new Queue(type, options);
    // Without a listener, a lost connection would end the process; the link has said it already.
    queue.on('error', () => undefined);
    this.#queues.set(type, queue);
    return queue;
  }

  async close(): Promise<void> {
    const queues = [...this.#queues.values()];
    this.#queues.clear();
    await Promise.all(queues.map((queue) => queue.close().catch(() => undefined)));
  }

  /** The id of the job whose singleton key is in the way; undefined where it is there now, or was before. */
  async add(link: RedisLink, job: NewJob): Promise<string | undefined> {
    const { id, type, priority, maxAttempts, singletonKey, startAfter } = job;
    const added = await this.open(link, type).add(type, dataOf(job), {
      jobId: id,
      priority: priorityOf(priority),
      attempts: maxAttempts,
      ...(startAfter ? { delay: Math.max(0, startAfter.getTime() - Date.now()) } : {}),
      ...(singletonKey === undefined ? {} : { deduplication: { id: singletonKey } }),
    });
    return added.id === id ? undefined : added.id;
  }

  /**
   * BullMQ's next of each of these types, in their order; fewer where it has none for us. Asked all at once: two ways to
   * the server and back, however many they are.
   */
  async take(link: RedisLink, types: readonly string[], worker: string): Promise<Claim[]> {
    const moved = await Promise.all(
      types.map(async (type) => {
        const token = `${worker}/${randomUUID()}`;
        const backend = this.open(link, type).getBackend() as RedisQueueBackend;
        const [, id] = (await backend.moveToActive(token)) as [unknown, string | undefined];
        return { type, token, id };
      }),
    );
    const claims = await Promise.all(
      moved.map(async ({ type, token, id }) => {
        if (!id) return undefined;
        const flat = await link.run<Flat | null>('bhTaken', type, id, token, worker, this.#leaseMs);
        return flat === null ? undefined : claimOf(id, type, flat, token, worker);
      }),
    );
    const ours: Claim[] = [];
    for (const claim of claims) {
      if (claim === undefined) continue;
      if (!claim.cancelRequested) ours.push(claim);
      // Asked for in between.
      else await link.run('bhEnd', claim.type, claim.id, claim.token, 'cancelled', '', 0, '');
    }
    return ours;
  }
}
