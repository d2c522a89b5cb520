/**
 * How long a job waits from being added to the start of its attempt, where the worker has nothing else to do: added by
 * the worker itself, as through its API, and straight into the store, as another container does.
 *
 *   node bench/claim-wait.ts [--jobs 40]
 *
 * Needs PostgreSQL and redis-server. The attempts are of no process: what is measured is the queue.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { JobStore } from '../src/jobs/store.ts';
import { MemoryStore } from '../src/jobs/stores/memory.ts';
import { PostgresStore } from '../src/jobs/stores/postgres.ts';
import { RedisStore } from '../src/jobs/stores/redis.ts';
import { Worker } from '../src/jobs/worker/worker.ts';
import { openSession } from '../src/postgres/connect.ts';
import { systemClock } from '../src/system/clock.ts';
import { LIMITS, newJob } from '../test/jobs-store/trial.ts';
import { aPlan, aType } from '../test/jobs-worker/world.ts';
import { makeExternalPostgres, PASSWORD } from '../test/support/external-postgres.ts';
import { makeRedis } from '../test/support/redis.ts';

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '40' } } });
const count = Number(values.jobs);
const note = (): void => undefined;
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-wait-'));
const postgres = await makeExternalPostgres();
const redis = await makeRedis('--appendonly', 'yes', '--appendfsync', 'everysec');

const inMemory = (journal: string): MemoryStore =>
  new MemoryStore({
    limits: LIMITS,
    maxBytes: 2 ** 24,
    journal: join(folder, journal),
    clock: systemClock,
    note,
  });
const target = {
  host: join(postgres.folder, 'sockets'),
  port: postgres.port,
  user: 'app',
  password: PASSWORD,
  database: 'app',
};
const inPostgres = (): JobStore =>
  new PostgresStore({ limits: LIMITS, connect: () => openSession(target), note });
const inRedis = (): JobStore =>
  new RedisStore({ limits: LIMITS, prefix: 'bulkhead', home: undefined, url: redis.url, note });

try {
  await measure('memory', undefined);
  await measure('postgres', inPostgres);
  await measure('redis', inRedis);
} finally {
  await redis.remove();
  await postgres.remove();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(name: string, open: (() => JobStore) | undefined): Promise<void> {
  const durable = open?.();
  const memory = inMemory(name);
  let begun: (attempt: string) => void = () => undefined;
  const worker = new Worker({
    plan: aPlan([aType('scrape')]),
    workerId: 'w1',
    host: 'here',
    durable,
    memory,
    attempts: {
      start: (attempt) => begun(attempt),
      stop: () => undefined,
    },
    clock: systemClock,
    random: Math.random,
    say: note,
    note,
    summary: note,
    happened: note,
    failed: (error) => console.error(error),
  });
  await worker.start();
  const other = open?.();
  await other?.open(['scrape']);
  await other?.beat({ id: 'w2', host: 'there', active: 0 });
  // Until it rests: the first beats are over.
  await sleep(4000);
  const ways = {
    'by its own worker': () => worker.answer({ op: 'add', type: 'scrape' }),
    ...(other && { 'by another container': () => other.add(newJob()) }),
  };
  for (const [who, add] of Object.entries(ways)) {
    const waits: number[] = [];
    for (let done = 0; done < count; done += 1) {
      await sleep(100 + 900 * Math.random());
      const started = new Promise<string>((resolve) => {
        begun = resolve;
      });
      // As the worker of that container does.
      await other?.beat({ id: 'w2', host: 'there', active: 0 });
      const at = performance.now();
      await add();
      const attempt = await started;
      waits.push(performance.now() - at);
      worker.ended({ type: 'attempt-ended', attempt, code: 0, signal: null });
    }
    waits.sort((a, b) => a - b);
    const at = (share: number): string => (waits[Math.floor(share * (waits.length - 1))] ?? 0).toFixed(1);
    console.log(`${name}, added ${who}: median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`);
  }
  await worker.stop();
  await Promise.all([durable?.close(), other?.close(), memory.close()]);
}
