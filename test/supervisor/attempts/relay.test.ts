import { expect, test } from 'vitest';
import type { JobsAnswer, ToWorker } from '../../../src/protocol/jobs.ts';
import { type Away, Relay } from '../../../src/supervisor/attempts/relay.ts';
import { manualClock } from '../../support/clock.ts';

const GOOD: JobsAnswer = { ok: true, durability: 'durable', value: { count: 1 } };

function openRelay() {
  const clock = manualClock();
  const told: ToWorker[] = [];
  const world = { away: undefined as Away | undefined };
  const relay = new Relay({ clock, away: () => world.away, tell: (message) => told.push(message) });
  const idOf = (index: number): number => {
    const message = told[index];
    return message?.type === 'jobs-request' ? message.id : -1;
  };
  return { clock, told, world, relay, idOf };
}

test('answers find their way back, whatever their order', async () => {
  const { relay, idOf } = openRelay();
  const [first, second] = [relay.ask({ op: 'status' }), relay.ask({ op: 'get', id: 'x' })];
  relay.answered(idOf(1), { ok: false, code: 'unknown-job', message: 'no' });
  relay.answered(idOf(0), GOOD);
  expect(await first).toBe(GOOD);
  expect(await second).toMatchObject({ code: 'unknown-job' });
});

test('a worker that is away is not asked, and says why', async () => {
  const { relay, told, world } = openRelay();
  world.away = { why: 'the worker is stopping' };
  expect(await relay.ask({ op: 'status' })).toMatchObject({
    code: 'worker-away',
    message: 'cannot ask about jobs: the worker is stopping',
    retryAfter: 1,
  });
  world.away = { why: 'the plan has no jobs', remedy: 'add some' };
  expect(await relay.ask({ op: 'status' })).toMatchObject({ remedy: 'add some' });
  expect(told).toEqual([]);
});

test('nobody waits longer than 10 s, nor for a worker that has ended', async () => {
  const { relay, clock, idOf } = openRelay();
  const slow = relay.ask({ op: 'status' });
  clock.advance(10_000);
  expect(await slow).toMatchObject({ code: 'worker-away' });
  relay.answered(idOf(0), GOOD);
  const lost = relay.ask({ op: 'status' });
  relay.end();
  expect(await lost).toMatchObject({ code: 'worker-away' });
  expect(clock.armed).toBe(0);
});

test('a crowd is told to come back', async () => {
  const { relay, told } = openRelay();
  const all = Array.from({ length: 300 }, () => relay.ask({ op: 'status' }));
  expect(told).toHaveLength(256);
  expect(await all[299]).toMatchObject({ code: 'worker-away' });
  relay.end();
  await Promise.all(all);
});
