/**
 * The queue's own cost: empty jobs per second of each store beside pg-boss and BullMQ alone doing the same, and how long a
 * claim takes with many jobs waiting: `node bench/jobs.ts [--jobs 2000] [--queued 10000] [--rounds 3]`.
 * Needs PostgreSQL and redis-server. Prints ratios: figures of two machines, or two hours, do not compare.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { PgBoss } from 'pg-boss';
import { makeJobId } from '../src/jobs/job-id.ts';
import type { JobStore } from '../src/jobs/store.ts';
import { MemoryStore } from '../src/jobs/stores/memory.ts';
import { PostgresStore } from '../src/jobs/stores/postgres.ts';
import { RedisStore } from '../src/jobs/stores/redis.ts';
import { openSession } from '../src/postgres/connect.ts';
import { systemClock } from '../src/system/clock.ts';
import { LIMITS, newJob } from '../test/jobs-store/trial.ts';
import { makeExternalPostgres, PASSWORD } from '../test/support/external-postgres.ts';
import { makeRedis } from '../test/support/redis.ts';

/** Adding, and at once as many claimed: what three or four workers of a container would do. */
const IN_FLIGHT = 8;
const BATCH = 8;

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '2000' },
    queued: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
  },
});
const jobs = Number(values.jobs);
const queued = Number(values.queued);
const rounds = Number(values.rounds);

/** One way to add `count` empty jobs and to do them all. */
interface Subject {
  readonly name: string;
  add(count: number): Promise<void>;
  work(count: number): Promise<void>;
}

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-jobs-'));
const postgres = await makeExternalPostgres();
await postgres.stop();
await postgres.start('fsync=on', 'synchronous_commit=on');
const redis = await makeRedis('--appendonly', 'yes', '--appendfsync', 'everysec');
const closers: (() => Promise<unknown>)[] = [];
try {
  const note = (): void => undefined;
  const stores: readonly JobStore[] = [
    new MemoryStore({
      limits: LIMITS,
      maxBytes: 2 ** 30,
      journal: join(folder, 'journal'),
      clock: systemClock,
      note,
    }),
    new PostgresStore({ limits: LIMITS, connect: () => openSession(target()), note }),
    new RedisStore({ limits: LIMITS, prefix: 'bulkhead', home: undefined, url: redis.url, note }),
  ];
  for (const store of stores) {
    await store.open(['scrape']);
    closers.push(() => store.close());
  }
  const [memory, inPostgres, inRedis] = stores.map(ofStore) as [Subject, Subject, Subject];
  const pgBoss = await bossAlone();
  const bullmq = bullAlone();
  const subjects = [memory, inPostgres, pgBoss, inRedis, bullmq];
  const rates = new Map<Subject, { add: number[]; work: number[] }>(
    subjects.map((subject) => [subject, { add: [], work: [] }]),
  );
  // In turn, so that what the machine does beside falls on all of them.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [subject, { add, work }] of rates) {
      const count = round === 0 ? 200 : jobs;
      const adding = await seconds(() => subject.add(count));
      const working = await seconds(() => subject.work(count));
      // The first round warms up.
      if (round > 0) {
        add.push(count / adding);
        work.push(count / working);
      }
    }
  }
  say(`${jobs} empty jobs, ${IN_FLIGHT} in flight, median of ${rounds} rounds`);
  for (const [{ name }, { add, work }] of rates)
    say(`  ${name.padEnd(22)} added ${perSecond(add)}, claimed and completed ${perSecond(work)}`);
  for (const [ours, alone] of [
    [inPostgres, pgBoss],
    [inRedis, bullmq],
  ] as const) {
    const ratio = (what: 'add' | 'work'): string =>
      (median(rates.get(ours)?.[what] ?? []) / median(rates.get(alone)?.[what] ?? [])).toFixed(2);
    say(`  ${ours.name} / ${alone.name}: added ${ratio('add')}, done ${ratio('work')}`);
  }
  say(`a claim of one with ${queued} waiting, beside a few (median of 200)`);
  for (const store of stores) {
    const subject = ofStore(store);
    await subject.add(210);
    const few = await claimLatency(store);
    await subject.add(queued);
    const many = await claimLatency(store);
    say(
      `  ${subject.name.padEnd(22)} ${few.toFixed(2)} ms, ${many.toFixed(2)} ms: × ${(many / few).toFixed(2)}`,
    );
    await subject.work(queued);
  }
} finally {
  for (const close of closers) await close().catch(() => undefined);
  await redis.remove();
  await postgres.remove();
  rmSync(folder, { recursive: true, force: true });
}

function ofStore(store: JobStore): Subject {
  return {
    name: store.kind,
    add: (count) => inFlight(count, () => store.add(newJob({ data: null }))),
    async work(count) {
      for (let done = 0; done < count; ) {
        const claims = await store.claim([{ type: 'scrape', count: BATCH }], 'bench');
        if (claims.length === 0) break;
        await Promise.all(claims.map((claim) => store.complete(claim, null)));
        done += claims.length;
      }
    },
  };
}

async function bossAlone(): Promise<Subject> {
  const boss = new PgBoss({ ...target(), schema: 'alone', supervise: false, schedule: false, max: 4 });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue('scrape');
  closers.push(() => boss.stop({ graceful: false }));
  return {
    name: 'pg-boss alone',
    add: (count) => inFlight(count, () => boss.send('scrape', {}, { id: makeJobId('scrape') })),
    async work(count) {
      for (let done = 0; done < count; ) {
        const claims = await boss.fetch('scrape', { batchSize: BATCH });
        if (claims.length === 0) break;
        await Promise.all(claims.map(({ id }) => boss.complete('scrape', id)));
        done += claims.length;
      }
    },
  };
}

function target() {
  return {
    host: join(postgres.folder, 'sockets'),
    port: postgres.port,
    user: 'app',
    password: PASSWORD,
    database: 'app',
  };
}

function bullAlone(): Subject {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue('alone', { connection });
  closers.push(async () => {
    await queue.close();
    connection.disconnect();
  });
  return {
    name: 'BullMQ alone',
    add: (count) =>
      inFlight(count, () => queue.add('scrape', {}, { jobId: makeJobId('scrape'), priority: 10 })),
    async work(count) {
      const worker = new Worker('alone', async () => null, { connection, concurrency: BATCH });
      let done = 0;
      await new Promise<void>((resolve) => {
        worker.on('completed', () => {
          done += 1;
          if (done === count) resolve();
        });
      });
      await worker.close();
    },
  };
}

async function inFlight(count: number, one: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

async function claimLatency(store: JobStore): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    const began = performance.now();
    const [claim] = await store.claim([{ type: 'scrape', count: 1 }], 'bench');
    times.push(performance.now() - began);
    if (claim) await store.complete(claim, null);
  }
  return median(times);
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function perSecond(rates: readonly number[]): string {
  return `${Math.round(median(rates))}/s`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
