import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobStore } from '../../src/jobs/store.ts';
import { PostgresStore } from '../../src/jobs/stores/postgres.ts';
import { PostgresHerald } from '../../src/jobs/stores/postgres-herald.ts';
import { hasNoRelations } from '../../src/postgres/app-database.ts';
import { openSession } from '../../src/postgres/connect.ts';
import { SessionPool } from '../../src/postgres/session-pool.ts';
import { type ExternalPostgres, makeExternalPostgres, PASSWORD } from '../support/external-postgres.ts';
import { conformsToThePort } from './conformance.ts';
import { claimOne, LIMITS, mustClaim, newJob, TYPES, until } from './trial.ts';

let server: ExternalPostgres;
const stores: JobStore[] = [];
const notes: string[] = [];

beforeAll(async () => {
  server = await makeExternalPostgres();
});

afterAll(async () => {
  await clear();
  await server.remove();
});

function target() {
  return { host: join(server.folder, 'sockets'), port: server.port, user: 'app', password: PASSWORD };
}

function makeStore(limits = {}, database = 'app'): PostgresStore {
  const store = new PostgresStore({
    connect: () => openSession({ ...target(), database }),
    limits: { ...LIMITS, ...limits },
    note: (text) => notes.push(text),
  });
  stores.push(store);
  return store;
}

function openOne() {
  return openSession({ ...target(), database: 'app' });
}

/** As the worker beats, until what others do is heard. */
async function hear(store: PostgresStore): Promise<void> {
  await until(async () => {
    await store.beat({ id: 'w1', host: 'h', active: 0 }).catch(() => undefined);
    return store.herald.isHeard || undefined;
  });
}

async function openStore(limits = {}): Promise<PostgresStore> {
  const store = makeStore(limits);
  await store.open(TYPES);
  return store;
}

async function clear(): Promise<void> {
  for (const store of stores.splice(0)) await store.close();
  await server.admin(
    `DO $$ BEGIN IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'bulkhead_jobs') THEN
       TRUNCATE bulkhead_jobs.job_common, bulkhead_jobs.bulkhead_attempt, bulkhead_jobs.bulkhead_pause,
                bulkhead_jobs.bulkhead_worker; END IF; END $$`,
    'app',
  );
}

conformsToThePort({ name: 'in PostgreSQL', shared: true, open: openStore, clear });

describe('PostgreSQL', () => {
  test('that ends every session, stops and comes back, is away and then there, and nothing is lost', async () => {
    const store = await openStore();
    const { job } = await store.add(newJob({ data: 'kept' }));
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
      await Promise.all([store.ping(), store.ping(), store.ping()]);
      await server.stop(signal);
      await expect(store.ping()).rejects.toMatchObject({ code: 'store-away' });
      await expect(store.claim([{ type: 'scrape', count: 1 }], 'w')).rejects.toMatchObject({
        code: 'store-away',
      });
      await expect(store.add(newJob())).rejects.toMatchObject({ code: 'store-away' });
      await server.start();
      await until(() =>
        store.ping().then(
          () => true,
          () => undefined,
        ),
      );
      expect(await store.get(job.id)).toMatchObject({ data: 'kept', state: 'created' });
    }
    expect((await mustClaim(store)).id).toBe(job.id);
    await clear();
  });

  test('that is away when the store is opened is told, and the same store opens later', async () => {
    await server.stop();
    const store = makeStore();
    await expect(store.open(TYPES)).rejects.toMatchObject({ code: 'store-away' });
    await expect(store.add(newJob())).rejects.toMatchObject({ code: 'store-away' });
    await server.start();
    await until(() =>
      store.open(TYPES).then(
        () => true,
        () => undefined,
      ),
    );
    await store.add(newJob());
    expect(await claimOne(store)).toBeDefined();
    await clear();
  });

  test('that lets us make no schema says what to do; a schema made for us is enough', async () => {
    notes.splice(0);
    await server.admin('DROP DATABASE IF EXISTS closed WITH (FORCE)');
    await server.admin('CREATE DATABASE closed OWNER postgres');
    const store = makeStore({}, 'closed');
    await expect(store.open(TYPES)).rejects.toMatchObject({
      message: expect.stringContaining('cannot make the schema bulkhead_jobs'),
      remedy: expect.stringContaining('CREATE SCHEMA bulkhead_jobs'),
    });
    await server.admin('CREATE SCHEMA bulkhead_jobs AUTHORIZATION app', 'closed');
    const [first, second] = [makeStore({}, 'closed'), makeStore({}, 'closed')];
    // Two workers start at the same moment.
    await Promise.all([first.open(TYPES), second.open(TYPES), store.open(TYPES)]);
    await first.add(newJob());
    expect(await claimOne(second)).toBeDefined();
    expect(notes).toEqual([]);
    const session = await openSession({ ...target(), database: 'closed' });
    // To the set-up, which may import into an empty database, it still is one.
    expect(await hasNoRelations(session)).toBe(true);
    await session.end();
    await clear();
  });

  test('tells a worker of whatever waits that did not or is paused, and when the next is due', async () => {
    const [one, other] = [await openStore(), await openStore()];
    let rings = 0;
    one.herald.onRing(() => {
      rings += 1;
    });
    expect(one.herald.isHeard).toBe(false);
    await hear(one);
    // Whoever is alone knows what it does.
    await one.add(newJob({ type: 'backup' }));
    await other.beat({ id: 'w2', host: 'there', active: 0 });
    await hear(one);
    expect(rings).toBe(0);
    await one.complete(await mustClaim(one), {});
    const rung = async (act: () => Promise<unknown>): Promise<void> => {
      const before = rings;
      await act();
      await until(async () => (rings > before ? true : undefined));
    };
    const job = newJob({ startAfter: new Date(Date.now() + 60_000) });
    expect(await one.herald.untilDue(TYPES)).toBeUndefined();
    await rung(() => other.add(job));
    expect(await one.herald.untilDue(['mail'])).toBeUndefined();
    const due = await one.herald.untilDue(TYPES);
    expect(due).toBeGreaterThan(50_000);
    expect(due).toBeLessThanOrEqual(60_000);
    await rung(() => other.pause('scrape'));
    await rung(() => other.adopt([]).then(() => other.resume('scrape')));
    await rung(() => other.add(newJob()));
    const claim = await mustClaim(other);
    await rung(() => other.release(claim));
    await rung(async () => other.fail(await mustClaim(other), { reason: 'exit', message: 'x' }, new Date()));
    await rung(async () => {
      await mustClaim(other, 'dead');
      await other.sweep('dead');
    });
    await other.fail(await mustClaim(other), { reason: 'exit', message: 'x' }, undefined);
    await rung(() => other.redrive());
    // What ends rings nobody.
    const before = rings;
    await other.complete(await mustClaim(other), {});
    await rung(() => other.add(newJob()));
    expect(rings).toBe(before + 1);
    await clear();
  });

  test('tells of a job whose time came after the last claim had looked, until one has looked again', async () => {
    const store = await openStore();
    const { id } = newJob();
    await store.add(newJob({ id, startAfter: new Date(Date.now() + 60_000) }));
    expect(await claimOne(store)).toBeUndefined();
    await server.admin(`UPDATE bulkhead_jobs.job_common SET start_after = now()`, 'app');
    expect(await store.herald.untilDue(TYPES)).toBeLessThanOrEqual(0);
    await store.pause();
    expect(await claimOne(store)).toBeUndefined();
    // Nobody claims it again and again.
    expect(await store.herald.untilDue(TYPES)).toBeUndefined();
    await store.resume();
    expect((await mustClaim(store)).id).toBe(id);
    await clear();
  });

  test('that goes is no longer heard, and is again when it is back', async () => {
    const store = await openStore();
    await hear(store);
    const lost = new Promise<void>((resolve) => store.herald.onRing(resolve));
    await server.stop();
    await lost;
    expect(store.herald.isHeard).toBe(false);
    await server.start();
    await hear(store);
    await clear();
  });

  test('whose session hears nothing, as behind a pooler, is not believed', async () => {
    const store = await openStore();
    await hear(store);
    const pool = new SessionPool({ open: openOne, most: 1, deadlineMs: 10_000 });
    const deaf = new PostgresHerald(async () => {
      const session = await openOne();
      const on = session.on.bind(session);
      session.on = (...args: Parameters<typeof on>) =>
        String(args[0]) === 'notification' ? session : on(...args);
      return session;
    }, pool);
    await store.beat({ id: 'w1', host: 'h', active: 0 });
    deaf.nextWord();
    await until(async () => (deaf.nextWord().length > 1 ? true : undefined));
    const heard = new Promise<void>((resolve) => store.herald.onRing(resolve));
    await pool.query("SELECT pg_notify('bulkhead_jobs', $1), pg_notify('bulkhead_jobs', '')", [
      deaf.nextWord(),
    ]);
    await heard;
    expect(deaf.isHeard).toBe(false);
    await Promise.all([deaf.close(), pool.close()]);
    await clear();
  });

  test('that does not answer costs a session and no more: who waits is served by a new one', async () => {
    let opened = 0;
    const open = () => {
      opened += 1;
      return openSession({ ...target(), database: 'app' });
    };
    const pool = new SessionPool({ open, most: 1, deadlineMs: 10_000 });
    const stuck = pool.within((ask) => ask('SELECT pg_sleep(60)'), 300);
    const waiting = pool.query<{ one: number }>('SELECT 1 AS one');
    await expect(stuck).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect((await waiting).rows).toEqual([{ one: 1 }]);
    expect(opened).toBe(2);
    await expect(pool.query('SELECT nonsense')).rejects.toThrow(/nonsense/);
    await pool.query('SELECT 1');
    expect(opened).toBe(3);
    await pool.close();
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'closed' });
  });
});
