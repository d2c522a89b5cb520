import { expect, test } from 'vitest';
import type { JobsAnswer, JobsRequest, JobView } from '../../src/protocol/jobs.ts';
import { addScheduledJob } from '../../src/supervisor/scheduled-job.ts';
import { manualClock } from '../support/clock.ts';

const SLOT = Date.UTC(2026, 0, 2, 3);
const AWAY: JobsAnswer = { ok: false, code: 'worker-away', message: 'the worker is starting', retryAfter: 1 };
const job = { id: '01234567-89ab-7cde-8f01-23456789abcd' } as JobView;

/** Asks until it has an end; time moves whenever it waits. */
async function add(
  answers: (tries: number) => JobsAnswer | Promise<JobsAnswer>,
  slot: number | null = SLOT,
  abortAfter = 1e9,
) {
  const clock = manualClock();
  const stop = new AbortController();
  const asked: JobsRequest[] = [];
  const waited: string[] = [];
  let result: { ok: boolean; reason: string } | undefined;
  void addScheduledJob({ name: 'nightly', job: { type: 'scrape', data: { all: true } } }, slot ?? undefined, {
    clock,
    ask: async (request) => {
      asked.push(request);
      return answers(asked.length);
    },
    waiting: (why) => waited.push(why),
    signal: stop.signal,
  }).then((end) => {
    result = end;
  });
  while (result === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.mono() > abortAfter) stop.abort();
    if (result === undefined) clock.advance(1000);
  }
  return { result, asked, waited, took: clock.mono() };
}

const ADDED = (duplicate = false): JobsAnswer => ({
  ok: true,
  durability: 'durable',
  value: { job, duplicate },
});

test('adds its job under the name of the moment, so that it is one however often it is added', async () => {
  const { result, asked } = await add(() => ADDED());
  expect(asked).toEqual([
    { op: 'add', type: 'scrape', data: { all: true }, idempotencyKey: 'nightly/2026-01-02T03:00:00.000Z' },
  ]);
  expect(result).toEqual({ ok: true, reason: 'added scrape 6789abcd' });
});

test('asked for by a person it is a job of its own', async () => {
  const { asked } = await add(() => ADDED(), null);
  expect(asked).toEqual([{ op: 'add', type: 'scrape', data: { all: true } }]);
});

test('waits for a worker that is away, and says so once', async () => {
  const { result, asked, waited } = await add((tries) => (tries < 4 ? AWAY : ADDED(true)));
  expect(asked).toHaveLength(4);
  expect(new Set(asked.map((request) => JSON.stringify(request))).size).toBe(1);
  expect(waited).toEqual(['the worker is starting']);
  expect(result).toEqual({ ok: true, reason: 'scrape 6789abcd was added already' });
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
