import { expect, test } from 'vitest';
import type { JobsAnswer, JobsRequest, JobView } from '../../src/protocol/jobs.ts';
import { addScheduledJob, type ScheduledEnd } from '../../src/supervisor/scheduled-job.ts';
import { manualClock } from '../support/clock.ts';

const SLOT = Date.UTC(2026, 0, 2, 3);
const AWAY: JobsAnswer = { ok: false, code: 'worker-away', message: 'the worker is starting', retryAfter: 1 };
const job = { id: '01234567-89ab-7cde-8f01-23456789abcd', type: 'scrape' } as JobView;

/** Asks until it has an end; time moves whenever it waits. `views`: what is known of the job, one look after the other. */
async function add(
  answers: (tries: number) => JobsAnswer | Promise<JobsAnswer>,
  slot: number | null = SLOT,
  abortAfter = 1e9,
  views: JobsAnswer[] = [is({ state: 'completed' })],
) {
  const clock = manualClock();
  const stop = new AbortController();
  const asked: JobsRequest[] = [];
  const waited: string[] = [];
  const added: string[] = [];
  let result: ScheduledEnd | undefined;
  void addScheduledJob({ name: 'nightly', job: { type: 'scrape', data: { all: true } } }, slot ?? undefined, {
    clock,
    ask: async (request) => {
      if (request.op === 'get') return (views.length > 1 ? views.shift() : views[0]) ?? AWAY;
      asked.push(request);
      return answers(asked.length);
    },
    waiting: (why) => waited.push(why),
    added: (what) => added.push(what),
    signal: stop.signal,
  }).then((end) => {
    result = end;
  });
  while (result === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.mono() > abortAfter) stop.abort();
    if (result === undefined) clock.advance(1000);
  }
  return { result, asked, waited, added, took: clock.mono() };
}

function is(view: Partial<JobView>): JobsAnswer {
  return { ok: true, durability: 'durable', value: { ...job, ...view } };
}

const ADDED = (duplicate = false): JobsAnswer => ({
  ok: true,
  durability: 'durable',
  value: { job, duplicate },
});

test('adds its job under the name of the moment, so that it is one however often it is added', async () => {
  const { result, asked, added } = await add(() => ADDED());
  expect(asked).toEqual([
    { op: 'add', type: 'scrape', data: { all: true }, idempotencyKey: 'nightly/2026-01-02T03:00:00.000Z' },
  ]);
  expect(added).toEqual(['added scrape 6789abcd']);
  expect(result).toEqual({ ok: true, reason: 'scrape 6789abcd is done' });
});

test('asked for by a person it is a job of its own', async () => {
  const { asked } = await add(() => ADDED(), null);
  expect(asked).toEqual([{ op: 'add', type: 'scrape', data: { all: true } }]);
});

test('waits for a worker that is away, and says so once', async () => {
  const { result, asked, waited, added } = await add((tries) => (tries < 4 ? AWAY : ADDED(true)));
  expect(asked).toHaveLength(4);
  expect(new Set(asked.map((request) => JSON.stringify(request))).size).toBe(1);
  expect(waited).toEqual(['the worker is starting']);
  expect(added).toEqual(['scrape 6789abcd was added already']);
  expect(result?.ok).toBe(true);
});

test('gives up after some minutes, and at once when everything stops', async () => {
  const gone = await add(() => AWAY);
  expect(gone.result).toEqual({ ok: false, reason: 'scrape was not added: the worker is starting' });
  expect(gone.took).toBeGreaterThanOrEqual(300_000);
  expect((await add(() => AWAY, SLOT, 20_000)).took).toBeLessThan(60_000);
});

test('an answer that is slow keeps no stop waiting', async () => {
  const { result, took } = await add(() => new Promise<JobsAnswer>(() => undefined), SLOT, 2000);
  expect(result).toEqual({ ok: false, reason: 'scrape was not added: everything is being stopped' });
  expect(took).toBeLessThan(5000);
});

test('what is refused for good is told; that one waits already is no failure', async () => {
  const refused = await add(() => ({ ok: false, code: 'bad-request', message: 'data must have "tool"' }));
  expect(refused.result).toEqual({ ok: false, reason: 'scrape was not added: data must have "tool"' });
  const single = await add(() => ({ ok: false, code: 'singleton', message: 'one waits', jobId: job.id }));
  expect(single.result).toEqual({ ok: true, reason: 'added no scrape: 6789abcd waits or runs already' });
});

test('runs for as long as its job does, over a worker that is away, and has failed where the job has', async () => {
  const views = [is({ state: 'created' }), is({ state: 'active' }), AWAY, is({ state: 'retry' })];
  const failure = { reason: 'exit', message: 'exit 1: the directory has no tools' } as const;
  const failed = await add(() => ADDED(), SLOT, 1e9, [...views, is({ state: 'failed', failure })]);
  expect(failed.result).toEqual({
    ok: false,
    reason: 'scrape 6789abcd failed: exit 1: the directory has no tools',
  });
  expect(failed.took).toBeGreaterThan(10_000);
  const cancelled = await add(() => ADDED(), SLOT, 1e9, [...views, is({ state: 'cancelled' })]);
  expect(cancelled.result).toEqual({ ok: false, reason: 'scrape 6789abcd was cancelled' });
  const removed = await add(() => ADDED(), SLOT, 1e9, [
    { ok: false, code: 'unknown-job', message: 'there is no such job' },
  ]);
  expect(removed.result).toEqual({ ok: true, reason: 'scrape 6789abcd was removed' });
});

test('a stop does not wait for the job, which stays in the queue', async () => {
  const left = await add(() => ADDED(), SLOT, 20_000, [is({ state: 'active' })]);
  expect(left.result).toEqual({ ok: true, reason: 'scrape 6789abcd is in the queue', isLeft: true });
  expect(left.took).toBeLessThan(60_000);
});

test('a job of its time that has other data, of a plan before this one, is its job and no failure', async () => {
  const reused: JobsAnswer = {
    ok: false,
    code: 'key-reused',
    message: 'this key was used for another scrape',
    jobId: job.id,
  };
  const { result, asked, added } = await add(() => reused);
  expect(asked).toHaveLength(1);
  expect(added).toEqual(['scrape 6789abcd was added already, with other data']);
  expect(result).toEqual({ ok: true, reason: 'scrape 6789abcd is done' });
});
