/** Several containers that only work on jobs, on one PostgreSQL; and a queue that is far longer than what fits into memory. */
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeJobId } from '../../src/jobs/job-id.ts';
import { PostgresStore } from '../../src/jobs/stores/postgres.ts';
import { openSession } from '../../src/postgres/connect.ts';
import type { JobCancelled, JobList, JobView } from '../../src/protocol/jobs.ts';
import { LIMITS } from '../jobs-store/trial.ts';
import { eventually } from '../support/descendants.ts';
import { type ExternalPostgres, makeExternalPostgres, PASSWORD } from '../support/external-postgres.ts';
import { JobTrial } from '../support/job-trial.ts';
import { startSupervisor } from '../support/supervisor.ts';

const plan = `
version: 1
name: jobs
api: { enabled: false }
database: {}
queue: { user: root }
jobs:
  work:
    command: [sh, -c, 'echo "$$BULKHEAD_JOB_ID $$BULKHEAD_JOB_ATTEMPT began $$$$" >> {log}; sleep 0.1']
    concurrency: 4
  quick: { command: ["true"] }
  stay:
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
    stop_grace_period: 1s
    concurrency: 4
`;

let server: ExternalPostgres;
let shared: string;

beforeAll(async () => {
  server = await makeExternalPostgres();
  shared = mkdtempSync(join(tmpdir(), 'bulkhead-shared-'));
  chmodSync(shared, 0o755);
  appendFileSync(join(shared, 'attempts'), '');
});

afterAll(async () => {
  await server?.remove();
  rmSync(shared, { recursive: true, force: true });
});

async function start(undo: AsyncDisposableStack): Promise<JobTrial> {
  const log = join(shared, 'attempts');
  const bulkhead = await startSupervisor({
    plan: plan.replace('{log}', () => log),
    env: { DATABASE_URL: server.url(), BULKHEAD_ONLY: 'worker' },
  });
  undo.use(bulkhead);
  await bulkhead.answers();
  return new JobTrial(bulkhead, log);
}

test('three workers share one queue: each of 300 jobs is run once, and each worker runs some', async () => {
  await using undo = new AsyncDisposableStack();
  const workers = await Promise.all([start(undo), start(undo), start(undo)]);
  const [first, second] = workers as [JobTrial, JobTrial, JobTrial];
  await eventually('all three are there', async () => (await first.status()).workers.length === 3, 60_000);
  const ids: string[] = [];
  for (let n = 0; n < 300; n += 10) {
    ids.push(...(await Promise.all(Array.from({ length: 10 }, () => first.add()))));
  }
  const all = new Set(ids);
  const mine = async (): Promise<readonly JobView[]> =>
    (await listAll(first)).filter(({ id, state }) => all.has(id) && state === 'completed');
  await eventually('all are done', async () => (await mine()).length === 300, 60_000);
  const told = first.told.map(({ id }) => id).filter((id) => all.has(id));
  expect(told.sort()).toEqual([...ids].sort());
  expect(new Set((await mine()).map(({ worker }) => worker)).size).toBe(3);
  expect((await second.status()).workers).toHaveLength(3);
  // What runs in one of them is cancelled through another.
  const id = await first.add({ do: 'stay' }, { type: 'stay' });
  await first.began(id);
  const asked = performance.now();
  const runner = (await first.get(id)).worker;
  const others = workers.filter(({ bulkhead }) => !bulkhead.log('stay').includes('attempt 1'));
  expect(runner).toBeDefined();
  for (const other of others.slice(0, 1)) {
    expect(await other.good<JobCancelled>({ op: 'cancel', id })).toMatchObject({ accepted: 'later' });
  }
  await first.until(id, 'cancelled');
  console.log(`cancelled through another container after ${Math.round(performance.now() - asked)} ms`);
});

test('ten thousand waiting jobs cost the worker next to no memory', async () => {
  await using undo = new AsyncDisposableStack();
  const jobs = await start(undo);
  const pid = await jobs.workerPid();
  await jobs.good({ op: 'pause', type: 'work' });
  const once = async (): Promise<number> => {
    const began = performance.now();
    await jobs.until(await jobs.add({}, { type: 'quick' }), 'completed');
    return Math.round(performance.now() - began);
  };
  const latency = async (): Promise<number> => {
    const all = [await once(), await once(), await once(), await once(), await once()];
    return all.sort((a, b) => a - b)[2] ?? 0;
  };
  await latency();
  const before = { ms: await latency(), memory: readMemory(pid) };
  await fill(10_000);
  const after = { ms: await latency(), memory: readMemory(pid) };
  const listedJobs = await listAll(jobs);
  expect(listedJobs.length).toBeGreaterThanOrEqual(10_000);
  const listed = readMemory(pid);
  console.log(
    `worker: ${before.memory} MB with an empty queue, ${after.memory} MB with 10,000 jobs, ${listed} MB after listing ${listedJobs.length}; a job took ${before.ms} ms, then ${after.ms} ms`,
  );
  expect(listed - before.memory).toBeLessThan(40);
});

/** All jobs of the type `work`, page by page. */
async function listAll(jobs: JobTrial): Promise<readonly JobView[]> {
  const all: JobView[] = [];
  let cursor: string | undefined;
  do {
    const page: JobList = await jobs.list({ type: 'work', ...(cursor === undefined ? {} : { cursor }) });
    all.push(...page.jobs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return all;
}

/** As a worker does that comes back from its fallback with all these. */
async function fill(count: number): Promise<void> {
  const target = { host: join(server.folder, 'sockets'), port: server.port, user: 'app', password: PASSWORD };
  const store = new PostgresStore({
    connect: () => openSession({ ...target, database: 'app' }),
    limits: LIMITS,
    note: () => undefined,
  });
  await store.open(['work']);
  const job = { type: 'work', state: 'created', priority: 0, data: { text: 'x'.repeat(500) } } as const;
  const rest = { attempts: 0, maxAttempts: 3, durability: 'durable' } as const;
  for (let n = 0; n < count; n += 500) {
    const createdAt = new Date().toISOString();
    await store.adopt(
      Array.from({ length: 500 }, () => ({ ...job, ...rest, id: makeJobId('work'), createdAt })),
    );
  }
  await store.close();
}

/** Private megabytes. */
function readMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0);
  return Math.round((of('Private_Clean') + of('Private_Dirty')) / 1024);
}
