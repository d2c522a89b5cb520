/** The store goes away and comes back: what people are told, and where their jobs are. */
import { describe, expect, test } from 'vitest';
import type { JobAdded, JobsAnswer, JobsStatus } from '../../src/protocol/jobs.ts';
import { aPlan, aType, World } from './world.ts';

const types = [
  aType('scrape'),
  aType('backup', { requires: ['database'] }),
  aType('one', { singleton: true }),
];
const plan = aPlan(types);

async function add(world: World, more: object = {}): Promise<JobsAnswer> {
  return world.ask('w1', { op: 'add', type: 'scrape', ...more });
}

function idOf(answer: JobsAnswer): string {
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.message}`);
  return (answer.value as JobAdded).job.id;
}

async function finishAll(world: World): Promise<void> {
  for (const attempt of world.processes.live) world.end(attempt, { code: 0 });
  await world.pass(1500);
}

/** A worker whose store is away since a moment ago, and known to be. */
async function away(queue = plan): Promise<World> {
  const world = new World(queue);
  await world.up('w1');
  await world.pass(1000);
  world.weather('w1', 'refuses');
  await world.pass(11_000);
  return world;
}

describe('while the store is away', () => {
  test('a restart of it is waited for: nothing goes into memory, and nobody is refused', async () => {
    const world = new World(plan);
    await world.up('w1');
    await world.pass(1000);
    world.weather('w1', 'refuses');
    await world.pass(1500);
    const answer = add(world);
    world.clock.after(5000, () => world.weather('w1', 'good'));
    expect(await answer).toMatchObject({ ok: true, durability: 'durable' });
    expect(world.notes).toEqual([]);
    expect(await world.member('w1').memory.counts()).toEqual({});
  });

  test('jobs are taken into memory, said to be there, run, and handed over when it is back for good', async () => {
    const world = await away();
    expect(world.notes).toEqual([
      'jobs are kept in memory (volatile) until memory answers: connection refused',
    ]);
    const ran = await add(world);
    expect(ran).toMatchObject({ ok: true, durability: 'volatile' });
    const later = idOf(await add(world, { startAfter: '2026-02-01T00:00:00Z' }));
    await world.pass(250);
    world.end(world.processes.only, { code: 0 }, { value: 7 });
    await world.pass(250);
    const status = await world.ask('w1', { op: 'status' });
    expect(status.ok && (status.value as JobsStatus).store).toMatchObject({
      durability: 'volatile',
      reason: 'memory is away: connection refused',
      pendingReturn: 1,
    });
    world.weather('w1', 'good');
    await world.pass(28_000);
    expect(await world.shared.get(later)).toBeUndefined();
    await world.pass(5000);
    expect(await world.shared.get(later)).toMatchObject({ state: 'created' });
    expect(await world.shared.get(idOf(ran))).toMatchObject({ state: 'completed', result: 7 });
    expect(await world.member('w1').memory.counts()).toEqual({});
    expect(world.notes.at(-1)).toBe('jobs are kept in memory again');
  });

  test('nothing flutters: one failure on the way back begins the wait anew', async () => {
    const world = await away();
    world.weather('w1', 'good');
    await world.pass(20_000);
    world.weather('w1', 'refuses');
    await world.pass(1500);
    world.weather('w1', 'good');
    await world.pass(20_000);
    expect(await add(world)).toMatchObject({ durability: 'volatile' });
    await world.pass(15_000);
    expect(await add(world)).toMatchObject({ durability: 'durable' });
  });

  test('what needs the database is refused, and so is everything where only durable will do', async () => {
    const world = await away();
    expect(await add(world, { type: 'backup' })).toMatchObject({ code: 'not-durable', retryAfter: 30 });
    const strict = await away(aPlan(types, { requireDurable: true }));
    expect(await add(strict)).toMatchObject({ code: 'not-durable' });
  });

  test('a job that was added before, or may have been, is not added to the memory as well', async () => {
    const world = new World(plan);
    await world.up('w1');
    const known = { idempotencyKey: 'known' };
    const id = idOf(await add(world, known));
    const unsure = { idempotencyKey: 'unsure' };
    world.weather('w1', 'hangs');
    expect(await add(world, unsure)).toMatchObject({ code: 'worker-away' });
    world.weather('w1', 'refuses');
    await world.pass(11_000);
    expect(await add(world, known)).toMatchObject({ code: 'not-durable', jobId: id });
    expect(await add(world, unsure)).toMatchObject({ code: 'not-durable' });
    expect(await world.ask('w1', { op: 'get', id })).toMatchObject({ code: 'not-durable' });
    world.weather('w1', 'good');
    await world.pass(40_000);
    expect(await add(world, unsure)).toMatchObject({ ok: true, value: { duplicate: true } });
    await finishAll(world);
    expect(new Set(world.processes.finished.values())).toEqual(new Set([1]));
  });

  test('what was active there is ended before its lease, and runs again when the store is back', async () => {
    const world = new World(plan);
    await world.up('w1');
    const id = idOf(await add(world));
    await world.pass(250);
    world.weather('w1', 'refuses');
    await world.pass(21_500);
    expect(world.processes.live).toEqual([]);
    world.weather('w1', 'good');
    await world.pass(40_000);
    await finishAll(world);
    expect(await world.shared.get(id)).toMatchObject({ state: 'completed' });
    expect(world.processes.broken).toEqual([]);
  });

  test('what ends meanwhile is told when the store is back, and is not run again', async () => {
    const world = new World(plan);
    await world.up('w1');
    const id = idOf(await add(world));
    await world.pass(250);
    world.weather('w1', 'refuses');
    await world.pass(2000);
    world.end(world.processes.only, { code: 0 }, { value: 'late' });
    await world.pass(300_000, 1000);
    world.weather('w1', 'good');
    await world.pass(60_000, 1000);
    expect(await world.shared.get(id)).toMatchObject({ state: 'completed', result: 'late' });
    expect(world.processes.starts).toEqual([`${id}/1`]);
  });

  test('what runs in memory at the return runs on, and follows when it ends', async () => {
    const world = await away();
    const id = idOf(await add(world));
    await world.pass(250);
    world.weather('w1', 'good');
    await world.pass(35_000);
    expect(await add(world, { startAfter: '2026-02-01T00:00:00Z' })).toMatchObject({ durability: 'durable' });
    expect(await world.ask('w1', { op: 'get', id })).toMatchObject({ value: { state: 'active' } });
    expect(await world.ask('w1', { op: 'list' })).toMatchObject({ value: { jobs: [{ id }, {}] } });
    await finishAll(world);
    expect(await world.shared.get(id)).toMatchObject({ state: 'completed' });
    expect(await world.member('w1').memory.counts()).toEqual({});
    expect(world.processes.starts).toEqual([`${id}/1`]);
  });

  test('a pause holds across both changes of the store', async () => {
    const world = new World(plan);
    await world.up('w1');
    await world.pass(1000);
    await world.ask('w1', { op: 'pause', type: 'scrape' });
    await world.pass(6000);
    world.weather('w1', 'refuses');
    await world.pass(11_000);
    await add(world);
    await world.ask('w1', { op: 'pause', type: 'one' });
    await world.pass(2000);
    expect(world.processes.live).toEqual([]);
    await world.ask('w1', { op: 'resume', type: 'scrape' });
    world.weather('w1', 'good');
    await world.pass(40_000);
    expect(await world.shared.paused()).toEqual({ all: false, types: ['one'] });
    expect(world.processes.starts.length).toBe(1);
  });
});

describe('one idempotency key in two containers', () => {
  const key = { idempotencyKey: 'order-7', data: { order: 7 } };
  const later = { startAfter: '2026-02-01T00:00:00Z' };

  test('where the journal of one has not begun it, the hand-over finds it there already: it is done once', async () => {
    const world = await away();
    await world.up('w2');
    await world.ask('w1', { op: 'pause' });
    const kept = await add(world, key);
    expect(kept).toMatchObject({ ok: true, durability: 'volatile' });
    const there = await world.ask('w2', { op: 'add', type: 'scrape', ...key });
    expect(idOf(there)).toBe(idOf(kept));
    await world.pass(250);
    await finishAll(world);
    expect(await world.shared.get(idOf(kept))).toMatchObject({ state: 'completed' });
    world.weather('w1', 'good');
    await world.pass(40_000);
    await finishAll(world);
    expect(world.processes.starts).toEqual([`${idOf(kept)}/1`]);
    expect(await world.member('w1').memory.counts()).toEqual({});
  });

  test('so it is where both journals have it, and come back one after the other', async () => {
    const world = await away();
    await world.up('w2', 'refuses');
    await world.pass(11_000);
    const kept = [
      await add(world, { ...key, ...later }),
      await world.ask('w2', { op: 'add', type: 'scrape', ...key, ...later }),
    ];
    expect(kept.map((answer) => answer.ok && answer.durability)).toEqual(['volatile', 'volatile']);
    for (const name of ['w1', 'w2']) {
      world.weather(name, 'good');
      await world.pass(40_000);
    }
    expect((await world.shared.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([
      idOf(kept[0] as JobsAnswer),
    ]);
    for (const name of ['w1', 'w2']) expect(await world.member(name).memory.counts()).toEqual({});
  });

  test('other contents under the same key are refused by the memory as well', async () => {
    const world = await away();
    const id = idOf(await add(world, { ...key, ...later }));
    expect(await add(world, { ...key, data: { order: 8 } })).toMatchObject({ code: 'key-reused', jobId: id });
  });
});

describe('at a start', () => {
  test('without the store the memory serves after eight seconds, and jobs wait for that word', async () => {
    const world = new World(plan);
    await world.up('w1', 'refuses');
    expect(await add(world)).toMatchObject({ ok: true, durability: 'volatile' });
    expect(world.clock.mono()).toBeGreaterThanOrEqual(8000);
  });

  test('so it does where the store takes the connection and says nothing', async () => {
    const world = new World(plan);
    await world.up('w1', 'hangs');
    await world.pass(9000);
    expect(await add(world)).toMatchObject({ durability: 'volatile' });
  });

  test('what an earlier life left in the journal is handed over before anything else', async () => {
    const world = await away();
    const id = idOf(await add(world, { startAfter: '2026-02-01T00:00:00Z' }));
    world.crash('w1');
    world.weather('w1', 'good');
    await world.up('w1');
    await world.pass(250);
    expect(await world.shared.get(id)).toMatchObject({ state: 'created' });
    expect(world.notes.at(-1)).toContain('kept in memory (volatile)');
  });

  test('a plan that wants the memory alone gets it, and it is nobody else’s deputy', async () => {
    const world = new World(plan, false);
    await world.up('w1');
    const id = idOf(await add(world));
    await world.pass(250);
    await finishAll(world);
    expect(await world.ask('w1', { op: 'get', id })).toMatchObject({ value: { state: 'completed' } });
    expect(world.notes).toEqual([]);
  });
});
