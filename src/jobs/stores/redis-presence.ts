/** Who works on the queue in Redis, as long as they say so; and whether all of them are of one product. */
import type { WorkerPresence } from '../store.ts';
import type { RedisLink } from './redis-connection.ts';
import { WORKER_SILENT_MS } from './words.ts';

/**
 * Where a product is at home, for a queue whose prefix nobody has written: a database that is shared, or a volume. Of
 * one product all containers name the same database, and at most one has the volume; another one of the kind is
 * another product of this name.
 */
export interface Home {
  readonly kind: 'database' | 'volume';
  readonly id: string;
}

interface Presence extends WorkerPresence {
  readonly seenAt: string;
  readonly home?: Home;
}

/** @param home undefined where sharing is wanted, or cannot be told */
export async function noteWorker(
  { client, keys }: RedisLink,
  { id, host, active }: WorkerPresence,
  home: Home | undefined,
): Promise<void> {
  const presence: Presence = {
    id,
    host,
    active,
    seenAt: new Date().toISOString(),
    ...(home ? { home } : {}),
  };
  await client.hset(keys.workers, id, JSON.stringify(presence));
}

/** Those that are silent are forgotten. */
export async function listWorkers(link: RedisLink): Promise<(WorkerPresence & { seenAt: string })[]> {
  return (await readPresences(link)).map(({ id, host, active, seenAt }) => ({ id, host, active, seenAt }));
}

/** A worker of another product, as people would call it; undefined: there is none that we know of. */
export async function findStranger(link: RedisLink, home: Home | undefined): Promise<string | undefined> {
  if (home === undefined) return undefined;
  const stranger = (await readPresences(link)).find(
    (other) => other.home?.kind === home.kind && other.home.id !== home.id,
  );
  return stranger && `worker ${stranger.id} on ${stranger.host}`;
}

async function readPresences({ client, keys }: RedisLink): Promise<Presence[]> {
  const all = Object.values(await client.hgetall(keys.workers)).map((text) => JSON.parse(text) as Presence);
  const isHere = ({ seenAt }: Presence) => Date.now() - Date.parse(seenAt) < WORKER_SILENT_MS;
  const silent = all.filter((worker) => !isHere(worker)).map(({ id }) => id);
  if (silent.length > 0) await client.hdel(keys.workers, ...silent);
  return all.filter(isHere);
}
