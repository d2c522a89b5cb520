/** PostgreSQL goes away under load, again and again, in order and without: every job that was told to be safe is done. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeJobId } from '../../src/jobs/job-id.ts';
import { type Claim, type JobStore, StoreAway } from '../../src/jobs/store.ts';
import { PostgresStore } from '../../src/jobs/stores/postgres.ts';
import { openSession } from '../../src/postgres/connect.ts';
import { LIMITS, newJob, TYPES, until } from '../jobs-store/trial.ts';
import { type ExternalPostgres, makeExternalPostgres, PASSWORD } from '../support/external-postgres.ts';

const RESTARTS = 20;
const WORKERS = 3;
const PRODUCERS = 2;
/** Done between two restarts. */
const BETWEEN = 25;

let server: ExternalPostgres;
const stores: PostgresStore[] = [];
const notes = new Set<string>();

beforeAll(async () => {
  server = await makeExternalPostgres();
});

afterAll(async () => {
  for (const store of stores) await store.close();
  await server.remove();
});

async function openStore(): Promise<PostgresStore> {
  const target = { host: join(server.folder, 'sockets'), port: server.port, user: 'app', password: PASSWORD };
  const store = new PostgresStore({
    connect: () => openSession({ ...target, database: 'app' }),
    // Short, so that what a lost answer left active is run again within the test.
    limits: { ...LIMITS, leaseMs: 1000 },
    note: (text) => notes.add(text),
  });
  stores.push(store);
  await store.open(TYPES);
  return store;
}

/** Asks until there is an answer; anything but "away" is a fault. */
function insist<T>(ask: () => Promise<T>): Promise<T> {
  return until(async () => {
    try {
      return { answer: await ask() };
    } catch (error) {
      if (error instanceof StoreAway) return undefined;
      throw error;
    }
  }).then(({ answer }) => answer);
}

test(`${RESTARTS} restarts, fast and immediate in turn: nothing is lost, and what ran twice is counted`, async () => {
  const safe = new Set<string>();
  const runs = new Map<string, number>();
  let done = 0;
  let away = 0;
  let stopping = false;

  async function produce(store: JobStore): Promise<void> {
    while (!stopping) {
      const job = newJob({ id: makeJobId('scrape'), priority: safe.size % 3, maxAttempts: 20 });
      await insist(() => store.add(job));
      safe.add(job.id);
      // No more than the workers can do.
      await until(async () => (stopping || safe.size - done < 200 ? true : undefined));
    }
  }

  async function run(store: JobStore, claim: Claim): Promise<void> {
    runs.set(claim.id, (runs.get(claim.id) ?? 0) + 1);
    // Once, as a worker that loses its store: what it cannot tell, the lease will.
    if (await store.complete(claim, null).catch(isAway)) done += 1;
  }

  function isAway(error: unknown): false {
    if (!(error instanceof StoreAway)) throw error;
    away += 1;
    return false;
  }

  async function work(store: JobStore, name: string): Promise<void> {
    for (let idle = false; !(stopping && idle); ) {
      const claims = await store.claim([{ type: 'scrape', count: 4 }], name).catch(isAway);
      idle = claims !== false && claims.length === 0;
      await Promise.all((claims || []).map((claim) => run(store, claim)));
      if (idle) await store.sweep().catch(isAway);
      else if (claims === false) await insist(() => store.ping());
    }
  }

  const producers = await Promise.all(Array.from({ length: PRODUCERS }, openStore));
  const workers = await Promise.all(Array.from({ length: WORKERS }, openStore));
  const load = [...producers.map(produce), ...workers.map((store, n) => work(store, `w${n}`))];
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    const goal = done + BETWEEN;
    await until(async () => (done >= goal ? true : undefined));
    await server.stop(restart % 2 === 0 ? 'SIGINT' : 'SIGQUIT');
    await server.start();
  }
  stopping = true;
  await Promise.all(load);

  const [judge] = workers;
  if (!judge) throw new Error('no worker');
  // Leases that nobody ended run out, and the jobs are run again.
  await until(async () => {
    await judge.sweep();
    for (const claim of await judge.claim([{ type: 'scrape', count: 50 }], 'judge')) await run(judge, claim);
    const { created, retry, active } = (await judge.counts()).scrape?.counts ?? {
      created: 0,
      retry: 0,
      active: 0,
    };
    return created + retry + active === 0 ? true : undefined;
  });
  const counts = (await judge.counts()).scrape?.counts;
  const twice = [...runs.values()].filter((times) => times > 1).length;
  process.stdout.write(
    `${safe.size} jobs over ${RESTARTS} restarts: ${twice} ran more than once, ${away} questions were not answered\n`,
  );
  expect([...safe].filter((id) => !runs.has(id))).toEqual([]);
  expect(counts?.failed).toBe(0);
  expect(counts?.completed).toBe(new Set([...safe, ...runs.keys()]).size);
  expect(away).toBeGreaterThan(0);
});
