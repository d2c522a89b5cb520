/** A product without a database whose jobs are kept in a real Redis. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobCancelled } from '../../src/protocol/jobs.ts';
import { JobTrial } from '../support/job-trial.ts';
import { makeRedis, type TestRedis } from '../support/redis.ts';
import { type Supervisor, startSupervisor } from '../support/supervisor.ts';

const plan = `
version: 1
name: jobs
api: { enabled: false }
queue: { user: root }
jobs:
  work:
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
    concurrency: 2
    retry_delay: 200ms
    stop_grace_period: 1s
`;

let redis: TestRedis;
let bulkhead: Supervisor;
let jobs: JobTrial;

beforeAll(async () => {
  redis = await makeRedis('--appendonly', 'yes', '--requirepass', 'of-the-queue');
  const env = { REDIS_URL: `redis://:of-the-queue@127.0.0.1:${redis.port}` };
  bulkhead = await startSupervisor({ plan, env });
  await bulkhead.answers();
  jobs = new JobTrial(bulkhead);
});

afterAll(async () => {
  await bulkhead?.[Symbol.asyncDispose]();
  await redis?.remove();
});

test('jobs run, are called durable, and the address of their Redis is shown to nobody', async () => {
  const done = await jobs.until(await jobs.add({ ms: 20 }), 'completed');
  expect(done).toMatchObject({ durability: 'durable', attempts: 1, result: { attempt: 1 } });
  expect((await jobs.status()).store).toMatchObject({ kind: 'redis', durability: 'durable' });
  expect(JSON.stringify([await jobs.status(), await bulkhead.status()])).not.toContain('of-the-queue');
});

test('an active one is cancelled, its tree gone', async () => {
  const id = await jobs.add({ ms: 60_000 });
  const { pid } = await jobs.began(id);
  expect((await jobs.good<JobCancelled>({ op: 'cancel', id })).accepted).toBe('later');
  await jobs.until(id, 'cancelled');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a worker that is killed loses none: the attempt is charged, and the job runs again at once', async () => {
  // Long enough that it still runs when its worker is killed, on a busy machine too.
  const id = await jobs.add({ ms: 2000 });
  await jobs.began(id);
  process.kill(await jobs.workerPid(), 'SIGKILL');
  expect((await jobs.until(id, 'completed')).attempts).toBe(2);
});
