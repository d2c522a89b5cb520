import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { MemoryStore } from '../../src/jobs/stores/memory.ts';
import { viewOf } from '../../src/jobs/stores/memory-job.ts';
import { MemoryJournal } from '../../src/jobs/stores/memory-journal.ts';
import { systemClock } from '../../src/system/clock.ts';
import { claimOne, LIMITS, mustClaim, newJob } from './trial.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-journal-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FAILURE = { reason: 'exit', message: 'exit code 1' } as const;
let files = 0;

function newPath(): string {
  files += 1;
  return join(folder, `${files}.journal`);
}

async function openStore(journal: string, more: { mono?: () => number; note?: (text: string) => void } = {}) {
  const { mono = systemClock.mono, note = () => undefined } = more;
  const clock = { mono, now: systemClock.now };
  const store = new MemoryStore({ limits: LIMITS, maxBytes: 16 * 1024 * 1024, journal, clock, note });
  await store.open();
  return store;
}

async function seen(store: MemoryStore): Promise<unknown> {
  const { jobs } = await store.list({ limit: 200 });
  return { jobs: jobs.toSorted((a, b) => a.id.localeCompare(b.id)), paused: await store.paused() };
}

type Step =
  | 'add'
  | 'single'
  | 'claim'
  | 'complete'
  | 'fail'
  | 'retry'
  | 'release'
  | 'cancel'
  | 'remove'
  | 'pause'
  | 'resume';

test('a journal torn at any byte holds all that was told to be safe, and half of nothing', async () => {
  const steps = fc.constantFrom<Step[]>(
    ...([
      'add',
      'single',
      'claim',
      'complete',
      'fail',
      'retry',
      'release',
      'cancel',
      'remove',
      'pause',
      'resume',
    ] as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 14 }), fc.string(), async (script, text) => {
      const path = newPath();
      const store = await openStore(path);
      const safe = [{ size: statSync(path).size, state: await seen(store) }];
      let claim = await claimOne(store);
      for (const step of ['add', ...script] as const) {
        const id = (await store.list({ limit: 1 })).jobs[0]?.id ?? '';
        if (step === 'add') await store.add(newJob({ data: { text, 'a\nb': 'ü' } }));
        else if (step === 'single') await store.add(newJob({ singletonKey: 'k' })).catch(() => undefined);
        else if (step === 'claim') claim = await claimOne(store);
        else if (step === 'cancel') await store.cancel(id);
        else if (step === 'remove') await store.remove(id);
        else if (step === 'pause' || step === 'resume') await store[step]('scrape');
        else if (!claim) continue;
        else if (step === 'complete') await store.complete(claim, { text });
        else if (step === 'fail') await store.fail(claim, FAILURE, undefined);
        else if (step === 'retry') await store.fail(claim, FAILURE, new Date());
        else if (step === 'release') await store.release(claim);
        safe.push({ size: statSync(path).size, state: await seen(store) });
      }
      await store.close();
      const whole = readFileSync(path);
      for (let cut = safe[0]?.size ?? 0; cut <= whole.length; cut += 1) {
        writeFileSync(path, whole.subarray(0, cut));
        const journal = new MemoryJournal({
          path,
          snapshot: () => [],
          bytes: () => 0,
          mono: () => 0,
          note: () => undefined,
        });
        const { jobs, paused } = await journal.replay();
        const views = [...jobs.values()].map((job) => viewOf(job, 'journaled'));
        const state = {
          jobs: views.toSorted((a, b) => a.id.localeCompare(b.id)),
          paused: { all: false, types: paused },
        };
        expect(state).toEqual(safe.findLast(({ size }) => size <= cut)?.state);
      }
    }),
    { numRuns: 4 },
  );
});

test('waiting, finished and paused jobs outlive the process; what was active waits again, charged', async () => {
  const path = newPath();
  const first = await openStore(path);
  const active = (await first.add(newJob({ priority: 9 }))).job.id;
  const last = (await first.add(newJob({ priority: 8, maxAttempts: 1 }))).job.id;
  const waiting = (await first.add(newJob({ singletonKey: 'k' }))).job.id;
  await mustClaim(first);
  await mustClaim(first);
  await first.pause('mail');
  // No close: the process is gone.
  const notes: string[] = [];
  const second = await openStore(path, { note: (text) => notes.push(text) });
  expect(notes).toEqual([]);
  expect(await second.get(active)).toMatchObject({
    state: 'retry',
    attempts: 1,
    failure: { reason: 'lease' },
  });
  expect(await second.get(last)).toMatchObject({ state: 'failed', deadLetter: true });
  expect(await second.paused()).toEqual({ all: false, types: ['mail'] });
  await expect(second.add(newJob({ singletonKey: 'k' }))).rejects.toMatchObject({ jobId: waiting });
  expect(await mustClaim(second)).toMatchObject({ id: active, attempt: 2 });
  await first.close();
  await second.close();
});

test('a bad line is left out and said, and those behind it hold', async () => {
  const path = newPath();
  const first = await openStore(path);
  await first.add(newJob({ data: 'before' }));
  await first.close();
  const before = readFileSync(path, 'utf8');
  const second = await openStore(path);
  await second.add(newJob({ data: 'behind' }));
  await second.close();
  const behind = readFileSync(path, 'utf8').slice(before.length);
  writeFileSync(path, `${before}{"job":{"id"\0\0\0\n"no object"\n${behind}`);
  const notes: string[] = [];
  const third = await openStore(path, { note: (text) => notes.push(text) });
  expect((await third.list({ limit: 9 })).jobs.map(({ data }) => data)).toEqual(['behind', 'before']);
  expect(notes).toEqual(["28 bytes of the jobs' journal were torn by a crash and are left out"]);
  await third.close();
});

test('a journal that cannot be written makes jobs volatile, which is said, until it can be', async () => {
  const missing = join(folder, 'missing');
  const path = join(missing, 'jobs.journal');
  let mono = 0;
  const notes: string[] = [];
  const store = await openStore(path, { mono: () => mono, note: (text) => notes.push(text) });
  expect(store.durability).toBe('volatile');
  expect(store.reason).toContain('its journal cannot be written: ENOENT');
  const { job } = await store.add(newJob());
  expect(job.durability).toBe('volatile');
  mkdirSync(missing);
  await store.sweep();
  expect(store.durability).toBe('volatile');
  mono += 5000;
  await store.sweep();
  expect([store.durability, store.reason]).toEqual(['journaled', undefined]);
  expect(notes).toEqual([
    expect.stringContaining('jobs do not outlive a restart'),
    expect.stringContaining("the jobs' journal is written again"),
  ]);
  const again = await openStore(path);
  expect((await again.get(job.id))?.state).toBe('created');
  await store.close();
  await again.close();
});

test('a journal that cannot be read is kept aside, and not overwritten by the next one', async () => {
  const path = newPath();
  // Also to root.
  mkdirSync(path);
  writeFileSync(join(path, 'of before'), '');
  const notes: string[] = [];
  const store = await openStore(path, { note: (text) => notes.push(text) });
  expect(store.durability).toBe('journaled');
  const { job } = await store.add(newJob());
  await store.close();
  const aside = readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.unreadable-`));
  expect(aside).toHaveLength(1);
  expect(readdirSync(join(folder, aside[0] ?? ''))).toEqual(['of before']);
  expect(notes.join('\n')).toContain(`kept as ${join(folder, aside[0] ?? '')}`);
  const again = await openStore(path);
  expect((await again.get(job.id))?.state).toBe('created');
  await again.close();
});

test('the journal does not grow without end, and what makes room for new jobs is what is finished', async () => {
  const path = newPath();
  const store = await openStore(path);
  const data = 'x'.repeat(60_000);
  let largest = 0;
  for (let n = 0; n < 60; n += 1) {
    const { job } = await store.add(newJob({ data }));
    await store.complete(await mustClaim(store), null);
    await store.remove(job.id);
    largest = Math.max(largest, statSync(path).size);
  }
  const { job } = await store.add(newJob({ data: 'kept' }));
  await store.close();
  expect(largest).toBeLessThan(2 * 1024 * 1024);
  const again = await openStore(path);
  expect((await again.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([job.id]);
  await again.close();
});

test('its bytes are bounded: finished jobs go first, and what waits is never dropped', async () => {
  const store = new MemoryStore({
    limits: LIMITS,
    maxBytes: 10_000,
    journal: undefined,
    clock: systemClock,
    note: () => undefined,
  });
  await store.open();
  const data = 'x'.repeat(2500);
  const done = (await store.add(newJob({ data }))).job.id;
  await store.complete(await mustClaim(store), null);
  for (let n = 0; n < 3; n += 1) await store.add(newJob({ data }));
  expect(await store.get(done)).toBeUndefined();
  await expect(store.add(newJob({ data }))).rejects.toMatchObject({ code: 'full' });
  expect((await store.counts()).scrape?.counts.created).toBe(3);
  expect(store.durability).toBe('volatile');
});

test('what may be in the other store is claimed by no later life either, until it is forgotten', async () => {
  const path = join(folder, 'handed-over-and-crashed');
  const before = await openStore(path);
  const { job: given } = await before.add(newJob());
  const { job: own } = await before.add(newJob());
  await before.noteHandedOver(before.takeAll(1).map(({ id }) => id));
  await before.close();
  // Twice: what is read is written anew.
  for (const _life of [1, 2]) {
    const store = await openStore(path);
    const claim = await mustClaim(store);
    expect([claim.id, await claimOne(store)]).toEqual([own.id, undefined]);
    expect(await store.release(claim)).toBe(true);
    expect(store.takeAll().map(({ id }) => id)).toEqual([given.id, own.id]);
    await store.close();
  }
});

test('what has been handed over is claimed by nobody, and handed over again until it is forgotten', async () => {
  const store = await openStore(join(folder, 'handed-over'));
  const { job: first } = await store.add(newJob());
  const { job: second } = await store.add(newJob());
  expect(store.takeAll(1).map(({ id }) => id)).toEqual([first.id]);
  const claim = await mustClaim(store);
  expect(claim.id).toBe(second.id);
  expect(await claimOne(store)).toBeUndefined();
  expect(store.takeAll().map(({ id }) => id)).toEqual([first.id]);
  await store.forget([first.id]);
  expect(store.takeAll()).toEqual([]);
  expect(await store.release(claim)).toBe(true);
  expect(store.takeAll().map(({ id }) => id)).toEqual([second.id]);
  await store.close();
});
