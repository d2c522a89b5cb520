/** The store goes away and comes back, the container stops and starts: no job is lost, none is run twice. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobAdded } from '../../src/protocol/jobs.ts';
import { eventually } from '../support/descendants.ts';
import { type ExternalPostgres, makeExternalPostgres } from '../support/external-postgres.ts';
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
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
    concurrency: 4
    retry_delay: 200ms
    stop_grace_period: 1s
  backup:
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
    requires: [database]
`;

let server: ExternalPostgres;
let undo: AsyncDisposableStack;

beforeEach(async () => {
  undo = new AsyncDisposableStack();
  server = await makeExternalPostgres();
  undo.defer(() => server.remove());
});

afterEach(() => undo.disposeAsync());

async function start(folder?: string): Promise<JobTrial> {
  const env = { DATABASE_URL: server.url(), BULKHEAD_ONLY: 'worker' };
  const bulkhead = await startSupervisor({ plan, env, ...(folder === undefined ? {} : { folder }) });
  undo.use(bulkhead);
  await bulkhead.answers();
  return new JobTrial(bulkhead);
}

/** How often each of these was finished. */
function finishes(jobs: JobTrial, ids: readonly string[]): number[] {
  return ids.map((id) => jobs.told.filter((told) => told.id === id && told.event === 'finished').length);
}

async function isKeptIn(jobs: JobTrial, kind: 'postgres' | 'memory'): Promise<void> {
  await eventually(`jobs are kept in ${kind}`, async () => (await jobs.status()).store.kind === kind, 60_000);
}

test('PostgreSQL is gone for a while: jobs go on in memory, and are in it again when it is back', async () => {
  const jobs = await start();
  const done = await jobs.add();
  await jobs.until(done, 'completed');
  const active = await jobs.add({ ms: 3000 });
  await jobs.began(active);
  const waiting = await jobs.add({}, { startAfter: new Date(Date.now() + 30_000).toISOString() });
  await server.stop('SIGQUIT');
  // Known before it is known to be away: these wait, and are answered.
  const meanwhile = await Promise.all([1, 2, 3].map(() => jobs.add()));
  await isKeptIn(jobs, 'memory');
  meanwhile.push(await jobs.add(), await jobs.add({ do: 'fail', times: 1 }));
  expect((await jobs.status()).store).toMatchObject({ durability: 'journaled' });
  expect((await jobs.status()).store.reason).toContain('postgres is away');
  expect(await jobs.ask({ op: 'add', type: 'backup' })).toMatchObject({ code: 'not-durable' });
  expect(await jobs.ask({ op: 'get', id: done })).toMatchObject({ code: 'not-durable' });
  const later = await jobs.add({}, { startAfter: new Date(Date.now() + 600_000).toISOString() });
  for (const id of meanwhile) expect((await jobs.until(id, 'completed')).durability).toBe('journaled');
  await server.start();
  await isKeptIn(jobs, 'postgres');
  for (const id of [...meanwhile, done, active, waiting]) {
    expect((await jobs.until(id, 'completed', 60_000)).durability).toBe('durable');
  }
  expect(await jobs.get(later)).toMatchObject({ state: 'created', durability: 'durable' });
  expect(finishes(jobs, [done, active, waiting, ...meanwhile])).toEqual([1, 1, 1, 1, 1, 1, 1, 2]);
});

test('PostgreSQL is away at the start: jobs are taken all the same, and outlive the container', async () => {
  await server.stop();
  const folderOf = await start();
  const { folder } = folderOf.bulkhead;
  const soon = await folderOf.add();
  await folderOf.until(soon, 'completed');
  const later = await folderOf.add({}, { startAfter: new Date(Date.now() + 2000).toISOString() });
  folderOf.bulkhead.kill('SIGKILL');
  await folderOf.bulkhead.finished;
  await server.start();
  const jobs = await start(folder);
  expect(await jobs.until(later, 'completed')).toMatchObject({ durability: 'durable' });
  expect(await jobs.get(soon)).toMatchObject({ state: 'completed', durability: 'durable' });
  expect(finishes(jobs, [soon, later])).toEqual([1, 1]);
});

test('the container is stopped in the middle of a job: it is put back uncharged, and runs at the next start', async () => {
  const first = await start();
  const { folder } = first.bulkhead;
  const stays = await first.add({ do: 'stay' });
  const clings = await first.add({ do: 'cling' });
  await first.began(stays);
  await first.began(clings);
  expect(await first.bulkhead.stop()).toMatchObject({ code: expect.toBeOneOf([0, 14]) });
  const rows = await server.admin<{ state: string; retry_count: number }>(
    'SELECT state, retry_count FROM bulkhead_jobs.job',
    'app',
  );
  expect(rows.map(({ state }) => state)).not.toContain('active');
  const second = await start(folder);
  await second.began(stays, 1);
  await eventually('both run again', () => second.told.filter(({ event }) => event === 'began').length === 4);
  for (const id of [stays, clings])
    expect(await second.get(id)).toMatchObject({ state: 'active', attempts: 1 });
});

test('PostgreSQL restarts again and again under load: no job is lost, and none goes into memory', async () => {
  const jobs = await start();
  const ids: string[] = [];
  const refused: string[] = [];
  let isOver = false;
  const adding = [1, 2, 3, 4].map(async (adder) => {
    for (let n = 0; !isOver; ) {
      const data = { log: jobs.log };
      const answer = await jobs.ask({ op: 'add', type: 'work', data, idempotencyKey: `${adder} ${n}` });
      if (answer.ok) ids.push((answer.value as JobAdded).job.id);
      else refused.push(answer.code);
      // Whoever is refused asks for the same again.
      if (answer.ok) n += 1;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });
  for (let n = 0; n < 6; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await server.stop(n % 2 === 0 ? 'SIGINT' : 'SIGQUIT');
    await server.start();
  }
  isOver = true;
  await Promise.all(adding);
  for (const id of ids) await jobs.until(id, 'completed', 60_000);
  const counts = finishes(jobs, ids);
  const doubled = counts.filter((count) => count > 1).length;
  console.log(`${ids.length} jobs over 6 restarts: ${doubled} run twice, ${refused.length} asked again`);
  expect(Math.min(...counts)).toBe(1);
  expect(jobs.bulkhead.output()).not.toContain('kept in memory');
});
