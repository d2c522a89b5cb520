/** Jobs of a real supervisor, kept in a real PostgreSQL: their attempts, and what ends them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobCancelled, JobsStatus } from '../../src/protocol/jobs.ts';
import { eventually, listDescendants } from '../support/descendants.ts';
import { type ExternalPostgres, makeExternalPostgres } from '../support/external-postgres.ts';
import { JobTrial } from '../support/job-trial.ts';
import { type Supervisor, startSupervisor } from '../support/supervisor.ts';

const plan = `
version: 1
name: jobs
api: { enabled: false }
database: {}
queue: { user: root, concurrency: 6 }
jobs:
  work:
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
    concurrency: 4
    timeout: 30s
    retry_delay: 200ms
    stop_grace_period: 1s
  short:
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
    timeout: 1s
    retries: 0
    stop_grace_period: 1s
  hungry:
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
    retries: 1
    retry_delay: 200ms
    deploy: { resources: { limits: { memory: 120m } } }
schedules:
  yearly: { cron: '0 0 1 1 *', job: short, data: { do: fail, times: 9 } }
`;

let server: ExternalPostgres;
let bulkhead: Supervisor;
let jobs: JobTrial;

beforeAll(async () => {
  server = await makeExternalPostgres();
  bulkhead = await startSupervisor({ plan, env: { DATABASE_URL: server.url(), BULKHEAD_ONLY: 'worker' } });
  await bulkhead.answers();
  jobs = new JobTrial(bulkhead);
});

afterAll(async () => {
  await bulkhead?.[Symbol.asyncDispose]();
  await server?.remove();
});

/** Processes of this attempt's tree that live, whatever session or group they are in. */
function treeOf(command: RegExp): number {
  return listDescendants(bulkhead.pid).filter(({ state, argv }) => state !== 'Z' && command.test(argv))
    .length;
}

describe('a job', () => {
  test('runs, tells how far it is, and its result is kept where it was added', async () => {
    const id = await jobs.add({ ms: 50 });
    const done = await jobs.until(id, 'completed');
    expect(done).toMatchObject({
      durability: 'durable',
      attempts: 1,
      result: { attempt: 1 },
      progress: { percent: 100, text: 'all of it' },
    });
    await eventually('its output is in its log', () =>
      bulkhead.log('work').includes('attempt 1 does finish'),
    );
  });

  test('that fails is tried again after its delay, and failed for good when no try is left', async () => {
    const twice = await jobs.until(await jobs.add({ do: 'fail', times: 1 }), 'completed');
    expect(twice.attempts).toBe(2);
    const never = await jobs.until(await jobs.add({ do: 'fail', times: 9 }), 'failed');
    expect(never).toMatchObject({
      attempts: 3,
      deadLetter: true,
      failure: { reason: 'exit', message: 'exit 3: this went wrong' },
    });
  });

  test('whose tree ignores SIGTERM and forks is gone when it takes too long', async () => {
    const id = await jobs.add({ do: 'cling' }, { type: 'short' });
    await jobs.began(id);
    expect(await jobs.until(id, 'failed')).toMatchObject({ failure: { reason: 'timeout' } });
    expect(treeOf(/works-on-job|trap|setInterval/)).toBe(0);
  });

  test('whose tree ignores SIGTERM and forks is gone a second after its grace when it is cancelled', async () => {
    const id = await jobs.add({ do: 'cling' });
    await jobs.began(id);
    await eventually('its tree stands', () => treeOf(/works-on-job|trap|setInterval/) === 3);
    const asked = performance.now();
    expect(await jobs.good<JobCancelled>({ op: 'cancel', id })).toMatchObject({ accepted: 'later' });
    await eventually('its tree is gone', () => treeOf(/works-on-job|trap|setInterval/) === 0);
    const took = performance.now() - asked;
    expect((await jobs.until(id, 'cancelled')).attempts).toBe(1);
    console.log(`cancel of a tree that clings: gone after ${Math.round(took)} ms, with a grace of 1000 ms`);
    expect(jobs.told.filter((told) => told.id === id)).toHaveLength(1);
  });

  test('that eats more memory than it may is ended with its tree, and each attempt at it is charged', async () => {
    const id = await jobs.add({ do: 'eat' }, { type: 'hungry' });
    const failed = await jobs.until(id, 'failed', 60_000);
    expect(failed).toMatchObject({ attempts: 2, maxAttempts: 2, deadLetter: true });
    // By the kernel where it lets us make groups, else by looking.
    expect(['oom', 'memory']).toContain(failed.failure?.reason);
    expect(failed.failure?.message).toContain('out of memory');
    expect(jobs.told.filter((told) => told.id === id).map(({ event }) => event)).toEqual(['began', 'began']);
    expect(treeOf(/works-on-job|setInterval/)).toBe(0);
    const { tally } = (await jobs.status()).byType.hungry ?? {};
    expect(tally?.failed).toEqual({ [failed.failure?.reason ?? '']: 2 });
    expect(tally?.finished).toEqual({ failed: 1 });
    // Whoever keeps within it is left alone.
    expect(await jobs.until(await jobs.add({}, { type: 'hungry' }), 'completed')).toMatchObject({
      attempts: 1,
    });
  });

  test('of a schedule is its run: it has failed where the job has', async () => {
    const { code, stdout, stderr } = await bulkhead.run('schedule', 'run', 'yearly');
    expect(code, stdout + stderr).toBe(1);
    const { schedules, overall } = await bulkhead.status();
    const words = /^short \w+ failed: exit 3: this went wrong$/;
    expect(schedules).toMatchObject([
      { name: 'yearly', lastRun: { ok: false, reason: expect.stringMatching(words) } },
    ]);
    expect(overall).toBe('warn');
    expect((await bulkhead.run('schedule', 'list')).stdout).toMatch(/yearly.*failed/s);
  });

  test('that asks for others is done when they are in the queue, once each for all its attempts', async () => {
    const id = await jobs.add({ do: 'enqueue', times: 20, failFirst: true });
    expect((await jobs.until(id, 'completed')).attempts).toBe(2);
    const children = (await jobs.list({ type: 'work' })).jobs.filter(({ parent }) => parent === id);
    expect(children.map(({ data }) => (data as { n: number }).n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
    for (const child of children) await jobs.until(child.id, 'completed');
  });

  test('is run by as many attempts at once as the plan says, and the queue says so', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => jobs.add({ do: 'stay' })));
    await eventually('four run', async () => (await jobs.status()).byType.work?.active === 4);
    const status: JobsStatus = await jobs.status();
    expect(status.byType.work).toMatchObject({
      active: 4,
      concurrency: 4,
      counts: { active: 4, created: 4 },
    });
    await Promise.all(ids.map((id) => jobs.good({ op: 'cancel', id })));
    for (const id of ids) await jobs.until(id, 'cancelled');
  });
});

test('kill -9 of the worker costs each active job one attempt, and the queue next to nothing', async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, () => jobs.add({ ms: 1500 })));
  for (const id of ids) await jobs.began(id);
  const before = jobs.told;
  const waiting = await jobs.add({});
  const pid = await jobs.workerPid();
  process.kill(pid, 'SIGKILL');
  const killed = performance.now();
  await Promise.race(ids.map((id) => jobs.began(id, 2)));
  console.log(`next claim ${Math.round(performance.now() - killed)} ms after kill -9 of the worker`);
  for (const id of [...ids, waiting]) await jobs.until(id, 'completed');
  for (const id of ids) {
    const told = jobs.told.filter((each) => each.id === id);
    expect(told.map(({ attempt, event }) => `${attempt} ${event}`)).toEqual([
      '1 began',
      '2 began',
      '2 finished',
    ]);
    const first = before.find((each) => each.id === id);
    expect(() => process.kill(first?.pid ?? 0, 0)).toThrow('ESRCH');
  }
  expect(await jobs.workerPid()).not.toBe(pid);
});

test('a worker that hangs is noticed, and its jobs run again before anybody else could have them', async () => {
  const id = await jobs.add({ ms: 60_000 });
  const first = await jobs.began(id);
  const pid = await jobs.workerPid();
  process.kill(pid, 'SIGSTOP');
  const stopped = performance.now();
  const again = await jobs.began(id, 2);
  const took = performance.now() - stopped;
  console.log(`its job ran again ${Math.round(took)} ms after SIGSTOP of the worker`);
  expect(took).toBeLessThan(25_000);
  expect(() => process.kill(first.pid, 0)).toThrow('ESRCH');
  expect(again.pid).not.toBe(first.pid);
  expect(await jobs.workerPid()).not.toBe(pid);
  expect(bulkhead.output()).toContain('worker is unhealthy: it hangs: no word for 10 s');
  await jobs.good({ op: 'cancel', id });
  expect((await jobs.until(id, 'cancelled')).history).toMatchObject([
    { attempt: 1, end: 'failed', failure: { reason: 'lease' } },
    { attempt: 2, end: 'cancelled' },
  ]);
});
