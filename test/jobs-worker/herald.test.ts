/** A worker whose store tells when something waits: it rests meanwhile, and is no later for it. */
import { expect, test } from 'vitest';
import type { Herald } from '../../src/jobs/store.ts';
import { newJob } from '../jobs-store/trial.ts';
import { aPlan, aType, World } from './world.ts';

const plan = aPlan([aType('scrape')]);

/** The world's store with a herald that a test rings, and the claims that were made of it, counted. */
async function upWithHerald(): Promise<{
  world: World;
  herald: { isHeard: boolean; ring(): void };
  claims: () => number;
}> {
  const world = new World(plan);
  let [count, ring] = [0, (): void => undefined];
  const claim = world.shared.claim.bind(world.shared);
  world.shared.claim = (...args) => {
    count += 1;
    return claim(...args);
  };
  const herald = {
    isHeard: true,
    ring: () => ring(),
    onRing: (listener: () => void) => {
      ring = listener;
    },
    untilDue: async () => {
      const now = world.clock.now();
      const waiting = (await world.shared.list({ limit: 200, states: ['created', 'retry'] })).jobs;
      const times = waiting.flatMap(({ startAfter }) => (startAfter ? [Date.parse(startAfter) - now] : []));
      return times.length === 0 ? undefined : Math.min(...times);
    },
  } satisfies Herald & { ring(): void };
  Object.defineProperty(world.shared, 'herald', { value: herald });
  await world.up('w1');
  await world.pass(2000);
  return { world, herald, claims: () => count };
}

test('looks now and then while nothing is told, and at once when it is', async () => {
  const { world, herald, claims } = await upWithHerald();
  const before = claims();
  await world.pass(60_000);
  expect(claims() - before).toBeLessThanOrEqual(7);
  // By another container.
  await world.shared.add(newJob());
  herald.ring();
  await world.pass(1, 1);
  expect(world.processes.only.number).toBe(1);
});

test('starts a delayed job when it is due, whoever waits', async () => {
  const { world } = await upWithHerald();
  const startAfter = new Date(world.clock.now() + 4000);
  await world.ask('w1', { op: 'add', type: 'scrape', startAfter: startAfter.toISOString() });
  await world.pass(3500);
  expect(world.processes.live).toEqual([]);
  await world.pass(750);
  expect(world.processes.only.number).toBe(1);
  world.end(world.processes.only, { code: 3 });
  await world.pass(250);
  expect(world.processes.live).toEqual([]);
  // The delay of the retry.
  await world.pass(1500);
  expect(world.processes.only.number).toBe(2);
});

test('finds what it was not told of within ten seconds, and looks each second where nothing is told', async () => {
  const { world, herald } = await upWithHerald();
  await world.shared.add(newJob());
  await world.pass(10_000);
  expect(world.processes.only.number).toBe(1);
  herald.isHeard = false;
  await world.pass(10_000);
  await world.shared.add(newJob());
  await world.pass(1000);
  expect(world.processes.live).toHaveLength(2);
});

test('tells PID 1 of a job that somebody else added within a second, though it told nothing for long', async () => {
  const { world, herald } = await upWithHerald();
  await world.pass(120_000);
  const told = world.summaries.length;
  await world.pass(30_000);
  expect(world.summaries.length - told).toBeLessThanOrEqual(1);
  await world.shared.pause();
  await world.shared.add(newJob());
  herald.ring();
  await world.pass(1000);
  expect(world.summaries.at(-1)).toMatchObject({ counts: { created: 1 }, paused: true });
});

test('a store that goes while it rests is noticed by the first that asks, and watched each second from then on', async () => {
  const { world, herald } = await upWithHerald();
  await world.pass(60_000);
  world.weather('w1', 'refuses');
  herald.isHeard = false;
  herald.ring();
  await world.pass(12_000);
  expect(world.summaries.at(-1)?.store.kind).toBe('memory');
  world.weather('w1', 'good');
  await world.pass(35_000);
  expect(world.notes.at(-1)).toMatch(/again/);
});
