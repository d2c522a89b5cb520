/** One worker, told in the order things happen. */
import { expect, test } from 'vitest';
import { makeJobId } from '../../src/jobs/job-id.ts';
import { StoreAway } from '../../src/jobs/store.ts';
import type { JobAdded, JobCancelled, JobsAnswer, JobsStatus, JobView } from '../../src/protocol/jobs.ts';
import { aPlan, aType, World } from './world.ts';

const plan = aPlan([aType('scrape'), aType('mail', { concurrency: 1, priority: 5 })]);

function good<T>(answer: JobsAnswer): T {
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.value as T;
}

async function add(world: World, more: object = {}): Promise<string> {
  return good<JobAdded>(await world.ask('w1', { op: 'add', type: 'scrape', ...more })).job.id;
}

async function state(world: World, id: string): Promise<JobView> {
  const job = await world.shared.get(id);
  if (!job) throw new Error(`there is no job ${id}`);
  return job;
}

async function upWithJob(more: object = {}): Promise<{ world: World; id: string }> {
  const world = new World(plan);
  await world.up('w1');
  const id = await add(world, more);
  await world.pass(250);
  return { world, id };
}

test('a job is run as soon as it is added, and its result is kept', async () => {
  const { world, id } = await upWithJob({ data: { url: 'x' } });
  expect(world.processes.only).toMatchObject({ name: `${id}/1`, type: 'scrape', data: { url: 'x' } });
  world.end(world.processes.only, { code: 0 }, { value: { pages: 3 } });
  await world.pass(250);
  expect(await state(world, id)).toMatchObject({ state: 'completed', result: { pages: 3 }, attempts: 1 });
});

test('an attempt that fails is tried again after its delay, and is failed for good after the last', async () => {
  const { world, id } = await upWithJob();
  for (const number of [1, 2, 3]) {
    expect(world.processes.only.number).toBe(number);
    world.end(world.processes.only, { code: 3, lastLine: 'no such page' });
    await world.pass(250);
    expect(world.processes.live).toEqual([]);
    await world.pass(6000);
  }
  expect(await state(world, id)).toMatchObject({
    state: 'failed',
    attempts: 3,
    deadLetter: true,
    failure: { reason: 'exit', message: 'exit 3: no such page' },
  });
  expect(good(await world.ask('w1', { op: 'redrive' }))).toEqual({ count: 1 });
  await world.pass(250);
  expect(world.processes.only.jobId).toBe(id);
});

test('an attempt that takes too long is stopped, and has timed out whatever it ends with', async () => {
  const { world, id } = await upWithJob();
  world.processes.only.obeys = false;
  await world.pass(60_000);
  expect(world.processes.only.stopping).toBe(true);
  await world.pass(11_000);
  expect(await state(world, id)).toMatchObject({
    state: 'retry',
    failure: { reason: 'timeout', message: 'it took longer than 1 min' },
  });
});

test('no more attempts than their types and all together allow, and the important ones first', async () => {
  const world = new World(plan);
  await world.up('w1');
  await world.ask('w1', { op: 'pause' });
  for (let n = 0; n < 4; n += 1) {
    await add(world);
    await add(world, { type: 'mail' });
  }
  await world.ask('w1', { op: 'resume' });
  await world.pass(2000);
  expect(world.processes.live.map(({ type }) => type).sort()).toEqual(['mail', 'scrape', 'scrape']);
  const mail = world.processes.live.find(({ type }) => type === 'mail');
  if (mail) world.end(mail, { code: 0 });
  await world.pass(250);
  expect(world.processes.live.map(({ type }) => type).sort()).toEqual(['mail', 'scrape', 'scrape']);
  expect(world.processes.broken).toEqual([]);
});

test('what waits is cancelled at once, what runs when its tree is gone, what has finished not at all', async () => {
  const { world, id } = await upWithJob();
  const waiting = await add(world, { startAfter: '2027-01-01T00:00:00Z' });
  const now = good<JobCancelled>(await world.ask('w1', { op: 'cancel', id: waiting }));
  expect(now).toMatchObject({ accepted: 'now', job: { state: 'cancelled' } });
  world.processes.only.obeys = false;
  const later = good<JobCancelled>(await world.ask('w1', { op: 'cancel', id }));
  expect(later).toMatchObject({ accepted: 'later', job: { state: 'active', cancelRequested: true } });
  expect(world.processes.only.stopping).toBe(true);
  await world.pass(11_000);
  expect(await state(world, id)).toMatchObject({ state: 'cancelled' });
  expect(await world.ask('w1', { op: 'cancel', id })).toMatchObject({ ok: false, code: 'finished' });
});

test('a cancel that another worker was asked for is heard within two seconds', async () => {
  const { world, id } = await upWithJob();
  await world.up('w2');
  good(await world.ask('w2', { op: 'cancel', id }));
  await world.pass(2000);
  expect(await state(world, id)).toMatchObject({ state: 'cancelled' });
});

test('a lease that is lost kills the attempt, and nothing it says counts', async () => {
  const { world, id } = await upWithJob();
  await world.shared.sweep('w1');
  const [claim] = await world.shared.claim([{ type: 'scrape', count: 1 }], 'somebody else');
  await world.pass(11_000);
  expect(world.processes.live).toEqual([]);
  expect(world.said.join('\n')).toContain('killed, since its lease was lost');
  expect(await state(world, id)).toMatchObject({ state: 'active', attempts: 2, worker: claim?.worker });
});

test('a job that comes back to the worker that lost it waits until the old attempt is gone', async () => {
  const { world, id } = await upWithJob();
  world.processes.only.obeys = false;
  await world.shared.sweep('w1');
  await world.pass(11_000);
  expect(world.processes.starts).toEqual([`${id}/1`, `${id}/2`]);
  expect(world.processes.broken).toEqual([]);
});

test('what cannot be renewed for twenty seconds is killed before anybody else may have it, and put back', async () => {
  const { world, id } = await upWithJob();
  await world.up('w2');
  world.weather('w1', 'refuses');
  const { only } = world.processes;
  await world.pass(19_000);
  expect(world.processes.live).toContain(only);
  await world.pass(2500);
  expect(world.processes.live).toEqual([]);
  await world.pass(15_000);
  expect(world.processes.only).toMatchObject({ worker: 'w2', name: `${id}/2` });
  expect(world.processes.broken).toEqual([]);
});

test('asked to stop, the worker claims no more, waits for the drain, and puts the rest back uncharged', async () => {
  const { world, id } = await upWithJob();
  const quick = await add(world);
  await world.pass(250);
  const [long, short] = world.processes.live;
  const stopped = world.member('w1').worker.stop();
  const late = await add(world);
  if (short) world.end(short, { code: 0 });
  if (long) long.obeys = false;
  await world.pass(3500);
  await stopped;
  expect(world.processes.live).toEqual([]);
  expect(await state(world, quick)).toMatchObject({ state: 'completed' });
  expect(await state(world, id)).toMatchObject({ attempts: 0 });
  expect(await state(world, late)).toMatchObject({ state: 'created', attempts: 0 });
  await world.up('w1');
  await world.pass(1000);
  expect(world.processes.live.map(({ name }) => name).sort()).toEqual([`${id}/1`, `${late}/1`].sort());
});

test('what a claim brings after the worker was asked to stop is put back', async () => {
  const world = new World(plan);
  await world.up('w1');
  await world.ask('w1', { op: 'pause' });
  const id = await add(world);
  await world.shared.resume();
  world.weather('w1', 'slow');
  await world.pass(4000);
  expect(await state(world, id)).toMatchObject({ state: 'active' });
  const stopped = world.member('w1').worker.stop();
  await world.pass(3000);
  await stopped;
  expect(world.processes.starts).toEqual([]);
  expect(await state(world, id)).toMatchObject({ attempts: 0 });
});

test('after a crash of the worker the next one runs its job again at once, and once', async () => {
  const { world, id } = await upWithJob();
  world.crash('w1');
  await world.up('w1');
  await world.pass(1000);
  expect(world.processes.only.name).toBe(`${id}/2`);
  world.end(world.processes.only, { code: 0 });
  await world.pass(60_000, 1000);
  expect(world.processes.starts).toEqual([`${id}/1`, `${id}/2`]);
  expect(await state(world, id)).toMatchObject({ state: 'completed', attempts: 2 });
});

test('how far it is can be asked at once, and is in the store within seconds', async () => {
  const { world, id } = await upWithJob();
  const { worker } = world.member('w1');
  worker.heard(`${id}/1`, { type: 'progress', percent: 140, text: 'page 3\0' });
  const told = { percent: 100, text: 'page 3\uFFFD' };
  expect(good<JobView>(await world.ask('w1', { op: 'get', id })).progress).toEqual(told);
  await world.pass(3000);
  expect((await state(world, id)).progress).toEqual(told);
});

test('jobs that an attempt asks for are there when it is done, once for all its attempts', async () => {
  const { world, id } = await upWithJob();
  const { worker } = world.member('w1');
  for (const number of [1, 2]) {
    for (const n of [1, 2, 3]) {
      worker.heard(`${id}/${number}`, { type: 'enqueue', job: 'mail', data: { n } });
    }
    const attempt = world.processes.live.find(({ jobId }) => jobId === id);
    if (attempt) world.end(attempt, { code: number === 1 ? 1 : 0 });
    await world.pass(3000);
  }
  expect(await state(world, id)).toMatchObject({ state: 'completed', attempts: 2 });
  const { jobs } = await world.shared.list({ type: 'mail', limit: 200 });
  expect(jobs.map(({ data, parent }) => ({ data, parent }))).toEqual(
    [3, 2, 1].map((n) => ({ data: { n }, parent: id })),
  );
});

test('an attempt whose jobs are refused has failed, and says why', async () => {
  const { world, id } = await upWithJob();
  world.member('w1').worker.heard(`${id}/1`, { type: 'enqueue', job: 'nothing' });
  world.end(world.processes.only, { code: 0 });
  await world.pass(250);
  expect((await state(world, id)).failure).toEqual({
    reason: 'dependency',
    message: 'a job it asked for was refused: nothing: there is no job type "nothing"',
  });
});

test('PID 1 is told of the queue at most once a second, and soon after something has changed', async () => {
  const { world } = await upWithJob();
  await world.pass(1500);
  expect(world.summaries.at(-1)).toMatchObject({
    counts: { active: 1 },
    store: { kind: 'memory', durability: 'durable' },
    paused: false,
  });
  world.summaries.length = 0;
  await world.pass(4000);
  expect(world.summaries.length).toBeLessThanOrEqual(1);
  const status = good<JobsStatus>(await world.ask('w1', { op: 'status' }));
  expect(status.byType.scrape).toMatchObject({ active: 1, concurrency: 2, paused: false });
  expect(status.workers).toMatchObject([{ id: 'w1', host: 'w1' }]);
});

test('a store that answers pings and nothing else ends the worker after a minute, so that it opens anew', async () => {
  const { world } = await upWithJob();
  const { beat } = world.shared;
  world.shared.beat = () => Promise.reject(new Error('relation "job" does not exist'));
  await world.pass(90_000, 1000);
  world.shared.beat = beat;
  expect(world.failures[0]?.message).toContain('relation "job" does not exist');
});

test('people who run a parent anew run its children anew, with keys of their own or without', async () => {
  const { world, id } = await upWithJob();
  const enqueue = (): void => {
    const { name } = world.processes.only;
    const { worker } = world.member('w1');
    worker.heard(name, { type: 'enqueue', job: 'mail', data: { to: 1 }, idempotencyKey: 'to-1-today' });
    worker.heard(name, { type: 'enqueue', job: 'mail', data: { to: 2 } });
    worker.heard(name, { type: 'enqueue', job: 'mail', data: { to: 2 } });
  };
  const mails = async (): Promise<readonly JobView[]> => {
    const { jobs } = await world.shared.list({ limit: 200, type: 'mail' });
    return jobs;
  };
  await world.ask('w1', { op: 'pause', type: 'mail' });
  // Two attempts of the first round, then two more of the next.
  for (const [attempts, expected] of [
    [1, 3],
    [2, 3],
    [1, 6],
    [2, 6],
  ] as const) {
    expect(world.processes.only.number).toBe(attempts);
    enqueue();
    world.end(world.processes.only, attempts === 1 ? { code: 1 } : { code: 0 });
    await world.pass(4000);
    expect(await mails()).toHaveLength(expected);
    if ((await state(world, id)).state === 'completed') await world.ask('w1', { op: 'retry', id });
    await world.pass(1000);
  }
  expect(new Set((await mails()).map(({ parent }) => parent))).toEqual(new Set([id]));
});

test('a second attempt that asks for fewer children, in another order, adds none twice and loses none', async () => {
  const { world } = await upWithJob();
  await world.ask('w1', { op: 'pause', type: 'mail' });
  for (const asked of [
    [1, 2, 3],
    [3, 4],
  ]) {
    const { name } = world.processes.only;
    for (const to of asked)
      world.member('w1').worker.heard(name, { type: 'enqueue', job: 'mail', data: { to } });
    world.end(world.processes.only, { code: 1 });
    await world.pass(4000);
  }
  const { jobs } = await world.shared.list({ limit: 200, type: 'mail' });
  expect(jobs.map(({ data }) => (data as { to: number }).to).toSorted()).toEqual([1, 2, 3, 4]);
});

test('an idempotency key that comes back with another request is refused, and the job stays what it was', async () => {
  const world = new World(plan);
  await world.up('w1');
  await world.ask('w1', { op: 'pause' });
  const key = { idempotencyKey: 'k' };
  const id = await add(world, { ...key, data: { a: 1, b: [2] } });
  const same = await world.ask('w1', { op: 'add', type: 'scrape', ...key, data: { b: [2], a: 1 } });
  expect(same).toMatchObject({ ok: true, value: { duplicate: true, job: { id } } });
  for (const other of [{ data: { a: 2, b: [2] } }, {}, { data: { a: 1, b: [2] }, priority: 7 }]) {
    const answer = await world.ask('w1', { op: 'add', type: 'scrape', ...key, ...other });
    expect(answer).toMatchObject({ ok: false, code: 'key-reused', jobId: id });
  }
  // A key belongs to its type.
  expect(await add(world, { ...key, type: 'mail' })).not.toBe(id);
  expect(await state(world, id)).toMatchObject({ data: { a: 1, b: [2] }, priority: 0 });
});

test('a job whose claim was never answered is put back uncharged, though it has one attempt only', async () => {
  const world = new World(aPlan([aType('once', { retries: 0 })]));
  await world.up('w1');
  const { id } = await world.shared
    .add({
      id: makeJobId('once'),
      type: 'once',
      data: {},
      priority: 0,
      maxAttempts: 1,
    })
    .then(({ job }) => job);
  const claim = world.shared.claim.bind(world.shared);
  world.shared.claim = async (...args) => {
    const claims = await claim(...args);
    if (claims.length === 0) return claims;
    world.shared.claim = claim;
    throw new StoreAway('connection terminated');
  };
  await world.pass(4000);
  expect(world.shared.claim).toBe(claim);
  expect(world.processes.only).toMatchObject({ name: `${id}/1` });
  world.end(world.processes.only, { code: 0 });
  await world.pass(250);
  expect(await state(world, id)).toMatchObject({ state: 'completed', attempts: 1 });
});

test('a job whose old attempt will not die is not claimed and put back without end', async () => {
  const { world } = await upWithJob();
  world.processes.only.obeys = false;
  let claims = 0;
  const claim = world.shared.claim.bind(world.shared);
  world.shared.claim = (...args) => {
    claims += 1;
    if (claims > 200) throw new Error('the worker claims without end');
    return claim(...args);
  };
  // As a process in an uninterruptible wait: SIGKILL is sent, and it stays.
  world.processes.stop = () => undefined;
  await world.shared.sweep('w1');
  await world.pass(20_000);
  expect(claims).toBeLessThan(60);
  expect(world.processes.broken).toEqual([]);
});

test('what happens to a job is told as it happens: its start, how far it is, its end', async () => {
  const { world, id } = await upWithJob();
  const { worker } = world.member('w1');
  const job = { id, type: 'scrape', attempt: 1, maxAttempts: 3 };
  for (const percent of [10, 20]) {
    worker.heard(`${id}/1`, { type: 'progress', percent });
    await world.pass(250);
  }
  world.end(world.processes.only, { code: 3 });
  await world.pass(250);
  expect(world.events).toMatchObject([
    { type: 'job', what: 'started', job },
    { what: 'progressed', job, progress: { percent: 10 } },
    { what: 'ended', job, end: 'failed', failure: { reason: 'exit' }, retryAt: expect.any(String) },
  ]);
  await world.pass(2000);
  world.end(world.processes.only, { code: 0 });
  await world.pass(250);
  expect(world.events.slice(3)).toMatchObject([
    { what: 'started', job: { attempt: 2 } },
    { what: 'ended', end: 'completed' },
  ]);
});

test('more events than anybody can read are counted', async () => {
  const world = new World(plan);
  await world.up('w1');
  for (let n = 0; n < 150; n += 1) {
    await add(world);
    await world.pass(1, 1);
    world.end(world.processes.only, { code: 0 });
  }
  await world.pass(2000);
  const skipped = world.events.flatMap((event) => (event.what === 'skipped' ? [event.count] : []));
  expect(skipped.length).toBeGreaterThan(0);
  expect(world.events.length - skipped.length + skipped.reduce((sum, count) => sum + count)).toBe(300);
});
