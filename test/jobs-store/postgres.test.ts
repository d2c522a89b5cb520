import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobStore } from '../../src/jobs/store.ts';
import { PostgresStore } from '../../src/jobs/stores/postgres.ts';
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
