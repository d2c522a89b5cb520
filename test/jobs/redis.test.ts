import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobStore } from '../../src/jobs/store.ts';
import { type RedisOptions, RedisStore } from '../../src/jobs/stores/redis.ts';
import { conformsToThePort } from '../jobs-store/conformance.ts';
import { LIMITS, mustClaim, newJob, TYPES, until } from '../jobs-store/trial.ts';
import { makeRedis, type TestRedis } from '../support/redis.ts';

const AOF = ['--appendonly', 'yes', '--appendfsync', 'always'];
let redis: TestRedis;
let stores: JobStore[] = [];
const notes: string[] = [];

beforeAll(async () => {
  redis = await makeRedis(...AOF);
});

afterAll(async () => {
  await clear();
  await redis.remove();
});

function makeStore(limits = {}, more: Partial<RedisOptions> = {}): RedisStore {
  const store = new RedisStore({
    url: redis.url,
    prefix: 'bulkhead',
    home: undefined,
    ...more,
    limits: { ...LIMITS, ...limits },
    note: (text) => notes.push(text),
  });
  stores.push(store);
  return store;
}

async function openStore(limits = {}): Promise<RedisStore> {
  const store = makeStore(limits);
  await store.open(TYPES);
  return store;
}

async function clear(): Promise<void> {
  for (const store of stores) await store.close();
  stores = [];
  await ask((client) => client.flushall());
}

async function ask<T>(work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

conformsToThePort({ name: 'in Redis', shared: true, open: openStore, clear });

describe('Redis', () => {
  test('that is killed comes back with everything, and is away meanwhile', async () => {
    const store = await openStore();
    expect([store.durability, store.reason]).toEqual(['durable', undefined]);
    const { job } = await store.add(newJob({ data: 'kept' }));
    await redis.stop('SIGKILL');
    await expect(store.ping()).rejects.toMatchObject({ code: 'store-away' });
    await expect(store.add(newJob())).rejects.toMatchObject({ code: 'store-away' });
    await expect(store.claim([{ type: 'scrape', count: 1 }], 'w')).rejects.toMatchObject({
      code: 'store-away',
    });
    const late = makeStore();
    await expect(late.open(TYPES)).rejects.toMatchObject({ code: 'store-away' });
    await redis.start(...AOF);
    await until(() =>
      late.open(TYPES).then(
        () => true,
        () => undefined,
      ),
    );
    await until(() =>
      store.ping().then(
        () => true,
        () => undefined,
      ),
    );
    expect(await store.get(job.id)).toMatchObject({ data: 'kept', state: 'created' });
    expect((await mustClaim(late)).id).toBe(job.id);
    await clear();
  });

  test('whose queue somebody paused with a tool of BullMQ hands out nothing, and is not asked without end', async () => {
    const store = await openStore();
    const { job } = await store.add(newJob());
    await ask((client) => client.hset('bulkhead:scrape:meta', 'paused', '1'));
    expect(await store.claim([{ type: 'scrape', count: 1 }], 'w')).toEqual([]);
    await ask((client) => client.hdel('bulkhead:scrape:meta', 'paused'));
    expect((await mustClaim(store)).id).toBe(job.id);
    await clear();
  });

  test('that two products share keeps them apart by their prefixes, in all that is asked', async () => {
    const [one, two] = ['shop', 'shop.staging'].map((prefix) => makeStore({}, { prefix }));
    if (!one || !two) throw new Error('no stores');
    for (const store of [one, two]) await store.open(TYPES);
    const { job } = await one.add(newJob({ singletonKey: 'k' }));
    await two.add(newJob({ singletonKey: 'k', data: 'of two' }));
    await two.pause();
    await two.beat({ id: 'w', host: 'h', active: 0 });
    expect(await one.paused()).toEqual({ all: false, types: [] });
    expect(await one.workers()).toEqual([]);
    expect((await one.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([job.id]);
    expect(await two.get(job.id)).toBeUndefined();
    const claim = await mustClaim(one);
    expect((await two.sweep('w1')).expired).toEqual([]);
    expect(await two.disown('w1', [])).toBe(0);
    expect(await one.fail(claim, { reason: 'exit', message: '' }, undefined)).toBe(true);
    expect(await two.redrive()).toBe(0);
    expect((await one.counts()).scrape?.counts.failed).toBe(1);
    const keys = await ask((client) => client.keys('*'));
    expect(keys.filter((key) => !/^shop(\.staging)?:/.test(key))).toEqual([]);
    await clear();
  });

  test('with the prefix nobody wrote refuses a second product of the name, while that works', async () => {
    const home = (kind: 'database' | 'volume', id: string) => ({
      prefix: 'bulkhead-shop',
      home: { kind, id },
    });
    const first = makeStore({}, home('volume', 'a'));
    await first.open(TYPES);
    await first.beat({ id: 'w1', host: 'h1', active: 0 });
    const second = makeStore({}, home('volume', 'b'));
    await expect(second.open(TYPES)).rejects.toThrow(
      'cannot keep jobs in Redis under bulkhead-shop: another product of this name does (worker w1 on h1)',
    );
    // Its own next start, and a container that reaches the same database from outside.
    await makeStore({}, home('volume', 'a')).open(TYPES);
    await makeStore({}, home('database', 'x')).open(TYPES);
    await makeStore({}, { prefix: 'bulkhead-shop' }).open(TYPES);
    await first.leave('w1');
    await second.open(TYPES);
    await clear();
  });

  test('that keeps no append-only file, or drops keys, is not called durable', async () => {
    await ask((client) => client.config('SET', 'appendonly', 'no'));
    await ask((client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'));
    const store = await openStore();
    expect(store.durability).toBe('volatile');
    expect(store.reason).toContain('appendonly no');
    expect(store.reason).toContain('maxmemory-policy allkeys-lru');
    expect((await store.add(newJob())).job.durability).toBe('volatile');
    await ask((client) => client.config('SET', 'appendonly', 'yes'));
    await ask((client) => client.config('SET', 'maxmemory-policy', 'noeviction'));
    // Noticed without a restart.
    await store.sweep();
    expect([store.durability, store.reason]).toEqual(['durable', undefined]);
    await clear();
  });
});
