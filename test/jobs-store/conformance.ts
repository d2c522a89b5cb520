/** What every store must do, whatever it is made of: written once, run on all of them. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { makeJobId } from '../../src/jobs/job-id.ts';
import type { JobRecord, JobStore } from '../../src/jobs/store.ts';
import { claimOne, mustClaim, newJob, type StoreTrial, TYPES, until } from './trial.ts';

const FAILURE = { reason: 'exit', message: 'exit code 1' } as const;
const PAST = new Date(Date.now() - 60_000);
const LATER = new Date(Date.now() + 3_600_000);

export function conformsToThePort(trial: StoreTrial): void {
  describe(`the store ${trial.name}`, () => {
    afterEach(() => trial.clear());
    afterAll(() => trial.clear());

    async function state(store: JobStore, id: string): Promise<JobRecord> {
      const job = await store.get(id);
      if (!job) throw new Error('there is no such job');
      return job;
    }

    describe('adding', () => {
      test('gives back what was added, and shows it', async () => {
        const store = await trial.open();
        const data = { url: 'https://example.org/ä', deep: [1, null, { a: '\u0000\ud800' }], z: 1, a: 2 };
        const parent = makeJobId('mail');
        const { job, duplicate } = await store.add(newJob({ data, priority: 7, parent, singletonKey: 'k' }));
        expect(duplicate).toBe(false);
        expect(job).toMatchObject({
          type: 'scrape',
          state: 'created',
          priority: 7,
          attempts: 0,
          maxAttempts: 3,
        });
        expect(job).toMatchObject({ parent, singletonKey: 'k', durability: store.durability });
        expect(await store.get(job.id)).toEqual(job);
        expect(JSON.stringify(job.data)).toBe(JSON.stringify(data));
        expect(await store.get(makeJobId('scrape'))).toBeUndefined();
      });

      test('the same id again is a duplicate, waiting, active and finished', async () => {
        const store = await trial.open();
        const job = newJob({ id: makeJobId('scrape', 'key'), singletonKey: 'k' });
        await store.add(job);
        expect((await store.add({ ...job, data: 'other' })).duplicate).toBe(true);
        const claim = await mustClaim(store);
        expect(await store.add(job)).toMatchObject({ duplicate: true, job: { state: 'active' } });
        await store.complete(claim, undefined);
        expect(await store.add(job)).toMatchObject({
          duplicate: true,
          job: { state: 'completed', data: { n: 1 } },
        });
        expect(await claimOne(store)).toBeUndefined();
      });

      test('of a taken singleton key is refused with the id of the one that is there, until that one is finished', async () => {
        const store = await trial.open();
        const first = newJob({ singletonKey: 'tool-1' });
        await store.add(first);
        const second = newJob({ singletonKey: 'tool-1' });
        await expect(store.add(second)).rejects.toMatchObject({ code: 'singleton', jobId: first.id });
        await store.add(newJob({ singletonKey: 'tool-2' }));
        await store.add(newJob({ singletonKey: 'tool-1', type: 'mail' }));
        await store.add(newJob());
        await store.add(newJob());
        const claim = await mustClaim(store);
        expect(claim.id).toBe(first.id);
        await expect(store.add(second)).rejects.toMatchObject({ code: 'singleton', jobId: first.id });
        await store.fail(claim, FAILURE, LATER);
        await expect(store.add(second)).rejects.toMatchObject({ code: 'singleton', jobId: first.id });
        expect(await store.cancel(first.id)).toBe('cancelled');
        expect((await store.add(second)).duplicate).toBe(false);
      });

      test('beyond what may wait is refused', async () => {
        const store = await trial.open({ maxWaiting: 3 });
        for (let n = 0; n < 3; n += 1) await store.add(newJob());
        await expect(store.add(newJob())).rejects.toMatchObject({ code: 'full' });
      });

      test('any JSON comes back as it was', async () => {
        const store = await trial.open();
        await fc.assert(
          fc.asyncProperty(fc.jsonValue(), async (data) => {
            const { job } = await store.add(newJob({ data, priority: 9 }));
            const claim = await mustClaim(store);
            expect(claim.id).toBe(job.id);
            const json = JSON.stringify(data);
            expect(JSON.stringify(claim.data)).toBe(json);
            await store.complete(claim, data);
            expect(JSON.stringify((await state(store, job.id)).result)).toBe(json);
          }),
          { numRuns: 25 },
        );
      });
    });

    describe('claiming', () => {
      test('hands out the highest priority first, then the oldest, over all types', async () => {
        const store = await trial.open();
        const wanted: [string, number, (typeof TYPES)[number]][] = [
          ['c', 0, 'scrape'],
          ['a', 5, 'mail'],
          ['d', 0, 'mail'],
          ['b', 5, 'scrape'],
          ['e', -3, 'backup'],
        ];
        for (const [data, priority, type] of wanted) await store.add(newJob({ data, priority, type }));
        const order: unknown[] = [];
        for (let claim = await claimOne(store); claim; claim = await claimOne(store)) order.push(claim.data);
        expect(order).toEqual(['a', 'b', 'c', 'd', 'e']);
      });

      test('gives no more of a type than was wished, and no more in all than `most`', async () => {
        const store = await trial.open();
        for (let n = 0; n < 5; n += 1)
          for (const type of ['scrape', 'mail'])
            await store.add(newJob({ type, priority: type === 'mail' ? 1 : 0 }));
        const wishes = [
          { type: 'scrape', count: 4 },
          { type: 'mail', count: 2 },
          { type: 'backup', count: 3 },
        ];
        const first = await store.claim(wishes, 'w1', 5);
        expect(first.map(({ type }) => type).toSorted()).toEqual([
          'mail',
          'mail',
          'scrape',
          'scrape',
          'scrape',
        ]);
        expect(await store.claim([{ type: 'scrape', count: 0 }], 'w1')).toEqual([]);
        expect(await store.claim([{ type: 'scrape', count: 9 }], 'w1')).toHaveLength(2);
      });

      test('says what the attempt is, and makes the job active', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob({ data: [1], priority: 2 }));
        const claim = await mustClaim(store, 'host-1');
        expect(claim).toMatchObject({
          id: job.id,
          type: 'scrape',
          attempt: 1,
          maxAttempts: 3,
          priority: 2,
          data: [1],
        });
        expect(claim).toMatchObject({ worker: 'host-1', cancelRequested: false });
        const now = await state(store, job.id);
        expect(now).toMatchObject({ state: 'active', attempts: 1, worker: 'host-1' });
        expect(Date.parse(now.startedAt ?? '')).not.toBeNaN();
      });

      test('passes over what starts later, and takes it when its time has come', async () => {
        const store = await trial.open();
        await store.add(newJob({ startAfter: LATER, priority: 9 }));
        await store.add(newJob({ startAfter: PAST, data: 'past' }));
        expect((await mustClaim(store)).data).toBe('past');
        expect(await claimOne(store)).toBeUndefined();
        await store.add(newJob({ startAfter: new Date(Date.now() + 40), data: 'soon' }));
        expect((await until(() => claimOne(store))).data).toBe('soon');
      });

      test('never gives one job to two, however many ask at once', async () => {
        const stores = [await trial.open()];
        if (trial.shared) stores.push(await trial.open(), await trial.open());
        await fc.assert(
          fc.asyncProperty(
            fc.array(
              fc.record({ priority: fc.integer({ min: -2, max: 2 }), type: fc.constantFrom(...TYPES) }),
              {
                minLength: 1,
                maxLength: 25,
              },
            ),
            fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 6 }),
            async (jobs, counts) => {
              const ids = jobs.map(() => makeJobId('scrape'));
              await Promise.all(
                jobs.map((job, n) => stores[n % stores.length]?.add(newJob({ ...job, id: ids[n] ?? '' }))),
              );
              const claimed: string[] = [];
              // Who locks may hide a job from another for a moment: claimers ask until nothing is left.
              while (claimed.length < ids.length) {
                const rounds = await Promise.all(
                  counts.map((count, n) =>
                    stores[n % stores.length]?.claim(
                      TYPES.map((type) => ({ type, count })),
                      `w${n}`,
                    ),
                  ),
                );
                const round = rounds.flatMap((claims) => claims ?? []);
                claimed.push(...round.map(({ id }) => id));
                await Promise.all(round.map((claim) => stores[0]?.complete(claim, null)));
              }
              expect(claimed.toSorted()).toEqual(ids.toSorted());
            },
          ),
          { numRuns: 12 },
        );
      });
    });

    describe('the end of an attempt', () => {
      test('completed: with its result, once', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob());
        const claim = await mustClaim(store);
        await store.renew([{ ...claim, progress: { percent: 50, text: 'half' } }]);
        expect((await state(store, job.id)).progress).toEqual({ percent: 50, text: 'half' });
        expect(await store.complete(claim, { pages: 3 })).toBe(true);
        expect(await store.complete(claim, { pages: 4 })).toBe(false);
        const done = await state(store, job.id);
        expect(done).toMatchObject({ state: 'completed', attempts: 1, result: { pages: 3 }, worker: 'w1' });
        expect(done.failure).toBeUndefined();
        expect(Date.parse(done.finishedAt ?? '')).not.toBeNaN();
      });

      test('failed: waits until its next attempt is due, and says why it failed', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob());
        expect(await store.fail(await mustClaim(store), FAILURE, LATER)).toBe(true);
        expect(await claimOne(store)).toBeUndefined();
        const waiting = await state(store, job.id);
        expect(waiting).toMatchObject({ state: 'retry', attempts: 1, failure: FAILURE });
        expect(waiting.durability).toBe(store.durability);
        // The store's clock and ours may differ a little.
        expect(Math.abs(Date.parse(waiting.startAfter ?? '') - LATER.getTime())).toBeLessThan(5000);
        const other = await store.add(newJob());
        await store.fail(await mustClaim(store), FAILURE, PAST);
        expect(await mustClaim(store)).toMatchObject({ id: other.job.id, attempt: 2 });
      });

      test('failed for good: in the dead letter, until it is redriven with all its attempts', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob({ maxAttempts: 1, singletonKey: 'one' }));
        expect(await store.fail(await mustClaim(store), FAILURE, undefined)).toBe(true);
        expect(await state(store, job.id)).toMatchObject({
          state: 'failed',
          deadLetter: true,
          failure: FAILURE,
        });
        const mail = await store.add(newJob({ type: 'mail' }));
        await store.fail(await mustClaim(store), FAILURE, undefined);
        expect(await store.redrive('mail')).toBe(1);
        expect(await mustClaim(store)).toMatchObject({ id: mail.job.id, attempt: 1 });
        // Another has the key by now.
        const other = await store.add(newJob({ singletonKey: 'one', startAfter: LATER }));
        expect(await store.redrive()).toBe(0);
        await expect(store.retry(job.id)).rejects.toMatchObject({ code: 'singleton', jobId: other.job.id });
        await store.remove(other.job.id);
        expect(await store.redrive()).toBe(1);
        const again = await state(store, job.id);
        expect(again).toMatchObject({ state: 'created', attempts: 0 });
        expect([again.failure, again.deadLetter, again.finishedAt]).toEqual([
          undefined,
          undefined,
          undefined,
        ]);
        expect(await mustClaim(store)).toMatchObject({ id: job.id, attempt: 1 });
      });

      test('failed with a last line that no text of a database holds', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob());
        const claim = { ...(await mustClaim(store)), progress: { text: 'half\ud800' } };
        expect(await store.renew([claim])).toHaveLength(1);
        await store.fail(claim, { reason: 'exit', message: 'a\0b' }, undefined);
        expect((await state(store, job.id)).failure?.message).toMatch(/^a.b$/s);
      });

      test('released: back at once, and nothing is charged', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob());
        const first = await mustClaim(store);
        expect(await store.release(first)).toBe(true);
        expect(await state(store, job.id)).toMatchObject({ state: 'created', attempts: 0 });
        const second = await mustClaim(store);
        expect(second.attempt).toBe(1);
        await store.fail(second, FAILURE, PAST);
        expect((await mustClaim(store)).attempt).toBe(2);
        const claim = await store.get(job.id);
        expect(claim?.attempts).toBe(2);
      });

      test('released after a failed attempt: that one stays charged', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob());
        await store.fail(await mustClaim(store), FAILURE, PAST);
        expect(await store.release(await mustClaim(store))).toBe(true);
        expect(await state(store, job.id)).toMatchObject({ state: 'retry', attempts: 1 });
        expect((await mustClaim(store)).attempt).toBe(2);
      });

      test('of a claim that was lost changes nothing, though the number of the attempt is the same', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob());
        const lost = await mustClaim(store);
        await store.release(lost);
        const held = await mustClaim(store);
        expect(held.attempt).toBe(lost.attempt);
        expect(await store.renew([lost])).toEqual([]);
        expect(await store.complete(lost, 'wrong')).toBe(false);
        expect(await store.fail(lost, FAILURE, undefined)).toBe(false);
        expect(await store.release(lost)).toBe(false);
        expect(await store.cancelled(lost)).toBe(false);
        expect((await state(store, job.id)).state).toBe('active');
        expect(await store.complete(held, 'right')).toBe(true);
        expect((await state(store, job.id)).result).toBe('right');
      });
    });

    describe('a lease', () => {
      test('that ran out gives the job to the next, charged, and once', async () => {
        const store = await trial.open({ leaseMs: 1 });
        const { job } = await store.add(newJob());
        const lost = await mustClaim(store);
        const swept = await until(async () => {
          const results = await Promise.all([store.sweep(), store.sweep()]);
          const expired = results.flatMap((result) => result.expired);
          return expired.length > 0 ? expired : undefined;
        });
        expect(swept).toEqual([{ id: job.id, type: 'scrape', state: 'retry' }]);
        expect(await state(store, job.id)).toMatchObject({ attempts: 1, failure: { reason: 'lease' } });
        const next = await mustClaim(store, 'w2');
        expect(next.attempt).toBe(2);
        expect(await claimOne(store)).toBeUndefined();
        expect(await store.complete(lost, 'late')).toBe(false);
        expect(await store.complete(next, 'in time')).toBe(true);
      });

      test('that ran out on the last attempt is the end', async () => {
        const store = await trial.open({ leaseMs: 1 });
        const { job } = await store.add(newJob({ maxAttempts: 1 }));
        await mustClaim(store);
        const [expired] = await until(async () => {
          const { expired } = await store.sweep();
          return expired.length > 0 ? expired : undefined;
        });
        expect(expired?.state).toBe('failed');
        expect(await state(store, job.id)).toMatchObject({ state: 'failed', failure: { reason: 'lease' } });
        expect(await claimOne(store)).toBeUndefined();
      });

      test('of a worker that is known to be gone is over at once, and nobody else is', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob({ priority: 1 }));
        await store.add(newJob());
        await mustClaim(store, 'dead');
        const kept = await mustClaim(store, 'alive');
        expect((await store.sweep('nobody')).expired).toEqual([]);
        expect((await store.sweep('dead')).expired).toEqual([{ id: job.id, type: 'scrape', state: 'retry' }]);
        expect(await store.complete(kept, null)).toBe(true);
        expect(await mustClaim(store)).toMatchObject({ id: job.id, attempt: 2 });
      });

      test('that is renewed stays', async () => {
        const store = await trial.open({ leaseMs: 30_000 });
        await store.add(newJob());
        const claim = await mustClaim(store);
        expect(await store.renew([claim])).toEqual([claim]);
        expect((await store.sweep()).expired).toEqual([]);
        expect(await store.renew([])).toEqual([]);
        expect(await store.complete(claim, null)).toBe(true);
      });
    });

    describe('a claim whose answer was lost', () => {
      test('is put back uncharged, however few attempts it has; those that are known stay', async () => {
        const store = await trial.open();
        const lost: string[] = [];
        for (const maxAttempts of [1, 3]) {
          const { job } = await store.add(newJob({ maxAttempts, priority: 5 }));
          if (maxAttempts === 3) await store.fail(await mustClaim(store, 'w2'), FAILURE, PAST);
          await mustClaim(store, 'w1');
          lost.push(job.id);
        }
        await store.add(newJob({ priority: 2 }));
        const known = await mustClaim(store, 'w1');
        await store.add(newJob({ priority: 1 }));
        const others = await mustClaim(store, 'w10');
        await store.add(newJob());
        const asked = await mustClaim(store, 'w1');
        await store.cancel(asked.id);
        expect(await store.disown('w1', [known.token])).toBe(3);
        expect(await store.disown('w1', [known.token])).toBe(0);
        const [single = '', again = ''] = lost;
        expect(await state(store, single)).toMatchObject({ state: 'created', attempts: 0 });
        expect(await state(store, again)).toMatchObject({ state: 'retry', attempts: 1 });
        expect((await state(store, asked.id)).state).toBe('cancelled');
        expect(await store.complete(known, null)).toBe(true);
        expect(await store.complete(others, null)).toBe(true);
        expect((await mustClaim(store)).attempt).toBe(1);
        expect((await mustClaim(store)).attempt).toBe(2);
        expect(await claimOne(store)).toBeUndefined();
      });
    });

    describe('cancelling', () => {
      test('ends at once what waits', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob());
        const { job: delayed } = await store.add(newJob({ startAfter: LATER }));
        expect(await store.cancel(job.id)).toBe('cancelled');
        expect(await store.cancel(delayed.id)).toBe('cancelled');
        expect(await state(store, job.id)).toMatchObject({ state: 'cancelled', attempts: 0 });
        expect(await claimOne(store)).toBeUndefined();
        expect(await store.cancel(job.id)).toBe('finished');
        expect(await store.cancel(makeJobId('scrape'))).toBe('unknown');
      });

      test('asks what is active, whose worker hears of it when it renews', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob());
        const claim = await mustClaim(store);
        expect(await store.cancel(job.id)).toBe('asked');
        expect(await store.cancel(job.id)).toBe('asked');
        expect(await state(store, job.id)).toMatchObject({ state: 'active', cancelRequested: true });
        expect(await store.cancelRequests([claim])).toEqual([job.id]);
        expect(await store.cancelRequests([{ ...claim, token: randomUUID() }])).toEqual([]);
        expect(await store.renew([claim])).toMatchObject([{ id: job.id, cancelRequested: true }]);
        expect(await store.cancelled(claim)).toBe(true);
        const done = await state(store, job.id);
        expect(done.state).toBe('cancelled');
        expect(done.cancelRequested).toBeUndefined();
        expect(await store.cancel(job.id)).toBe('finished');
      });

      test('holds for an attempt that failed or was released before it heard of it', async () => {
        const store = await trial.open();
        for (const end of ['fail', 'release'] as const) {
          const { job } = await store.add(newJob());
          const claim = await mustClaim(store);
          await store.cancel(job.id);
          if (end === 'fail') await store.fail(claim, FAILURE, PAST);
          else await store.release(claim);
          expect((await state(store, job.id)).state).toBe('cancelled');
        }
        expect(await claimOne(store)).toBeUndefined();
      });
    });

    describe('what became of a job', () => {
      test('is kept attempt by attempt, across rounds, and said to each claim', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob({ maxAttempts: 2 }));
        const first = await mustClaim(store, 'w1');
        expect(first.round).toBe(0);
        await store.release(first);
        await store.fail(await mustClaim(store, 'w2'), FAILURE, PAST);
        await store.fail(
          await mustClaim(store, 'w1'),
          { ...FAILURE, message: '\ud800 "\u{1f600}"' },
          undefined,
        );
        expect(await store.retry(job.id)).toBe('retried');
        const again = await mustClaim(store, 'w3');
        expect([again.round, again.attempt]).toEqual([1, 1]);
        await store.sweep('w3');
        await store.complete(await mustClaim(store, 'w1'), 'done');
        const { history = [], round } = await state(store, job.id);
        expect(round).toBe(1);
        expect(history.map(({ attempt, end, worker }) => [attempt, end, worker])).toEqual([
          [1, 'released', 'w1'],
          [1, 'failed', 'w2'],
          [2, 'failed', 'w1'],
          [1, 'failed', 'w3'],
          [2, 'completed', 'w1'],
        ]);
        expect(history.map(({ failure }) => failure?.reason)).toEqual([
          undefined,
          'exit',
          'exit',
          'lease',
          undefined,
        ]);
        for (const { startedAt, endedAt } of history) {
          expect(startedAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
          expect(Date.parse(endedAt) - Date.parse(startedAt)).toBeGreaterThanOrEqual(0);
        }
      });

      test('is bounded, and the newest are kept', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob({ maxAttempts: 30 }));
        for (let n = 0; n < 23; n += 1) await store.fail(await mustClaim(store), FAILURE, PAST);
        const { history = [] } = await state(store, job.id);
        expect(history.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, n) => n + 4));
      });

      test('redrive begins the next round as well, and a store that takes over goes on from there', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob({ maxAttempts: 1 }));
        for (const round of [0, 1, 2]) {
          const claim = await mustClaim(store);
          expect(claim.round).toBe(round);
          await store.fail(claim, FAILURE, undefined);
          expect(await store.redrive()).toBe(1);
        }
        const taken = { ...(await state(store, job.id)), id: makeJobId('scrape') };
        await store.remove(job.id);
        await store.adopt([taken]);
        expect(await state(store, taken.id)).toMatchObject({ round: 3, history: taken.history });
        expect((await mustClaim(store)).round).toBe(3);
      });
    });

    describe('retrying and removing', () => {
      test('gives a finished job all its attempts again, and no other', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob({ maxAttempts: 2 }));
        expect(await store.retry(job.id)).toBe('not-finished');
        const claim = await mustClaim(store);
        expect(await store.retry(job.id)).toBe('not-finished');
        await store.complete(claim, 'first');
        expect(await store.retry(job.id)).toBe('retried');
        expect((await state(store, job.id)).result).toBeUndefined();
        expect((await mustClaim(store)).attempt).toBe(1);
        expect(await store.retry(makeJobId('scrape'))).toBe('unknown');
      });

      test('removes what does not run', async () => {
        const store = await trial.open();
        const { job } = await store.add(newJob({ singletonKey: 'k' }));
        expect(await store.remove(job.id)).toBe('removed');
        expect(await store.get(job.id)).toBeUndefined();
        expect(await store.remove(job.id)).toBe('unknown');
        const next = await store.add(newJob({ singletonKey: 'k' }));
        await mustClaim(store);
        expect(await store.remove(next.job.id)).toBe('active');
      });
    });

    describe('a pause', () => {
      test('of one type or of all holds for every worker, and lets what is active end', async () => {
        const store = await trial.open();
        const second = trial.shared ? await trial.open() : store;
        for (const type of ['scrape', 'mail', 'scrape', 'mail']) await store.add(newJob({ type }));
        const running = await mustClaim(store);
        expect(running.type).toBe('scrape');
        await store.pause('scrape');
        expect(await second.paused()).toEqual({ all: false, types: ['scrape'] });
        expect((await mustClaim(second)).type).toBe('mail');
        await second.pause();
        await second.pause();
        expect(await store.paused()).toEqual({ all: true, types: ['scrape'] });
        expect(await claimOne(store)).toBeUndefined();
        expect(await store.complete(running, null)).toBe(true);
        await store.resume();
        expect(await second.paused()).toEqual({ all: false, types: [] });
        expect((await mustClaim(second)).type).toBe('scrape');
        await store.pause('mail');
        await store.resume('mail');
        expect((await mustClaim(second)).type).toBe('mail');
      });
    });

    describe('lists and counts', () => {
      test('a list goes from the newest to the oldest, page by page, filtered', async () => {
        const store = await trial.open();
        const ids: string[] = [];
        for (let n = 0; n < 7; n += 1)
          ids.push((await store.add(newJob({ type: n % 2 === 0 ? 'scrape' : 'mail' }))).job.id);
        await store.complete(await mustClaim(store), null);
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.list({ limit: 3, cursor });
          expect(page.jobs.length).toBeLessThanOrEqual(3);
          seen.push(...page.jobs.map(({ id }) => id));
          cursor = page.cursor;
          // What is added meanwhile belongs to the pages before.
          if (seen.length === 3) await store.add(newJob());
        } while (cursor !== undefined);
        expect(seen).toEqual(ids.toReversed());
        const done = await store.list({ limit: 200, states: ['completed'] });
        expect(done).toEqual({ jobs: [await state(store, ids[0] ?? '')] });
        const mails = await store.list({ limit: 200, type: 'mail', states: ['created', 'active'] });
        expect(mails.jobs.map(({ id }) => id)).toEqual([ids[5], ids[3], ids[1]]);
        await expect(store.list({ limit: 3, cursor: 'nonsense' })).rejects.toMatchObject({
          code: 'bad-cursor',
        });
      });

      test('counts are by type and state, with the age of the oldest that could run', async () => {
        const store = await trial.open();
        expect(await store.counts()).toEqual({});
        await store.add(newJob({ priority: 9, data: 'done' }));
        await store.complete(await mustClaim(store), null);
        const { job } = await store.add(newJob());
        await store.add(newJob());
        await store.add(newJob({ type: 'mail', startAfter: LATER }));
        const counts = await store.counts();
        const none = { created: 0, retry: 0, active: 0, completed: 0, cancelled: 0, failed: 0 };
        expect(counts.scrape).toEqual({
          counts: { ...none, created: 2, completed: 1 },
          oldestQueuedAt: job.createdAt,
        });
        expect(counts.mail).toEqual({ counts: { ...none, created: 1 } });
      });

      test('workers are listed until they leave', async () => {
        const store = await trial.open();
        await store.beat({ id: 'w1', host: 'a', active: 0 });
        await store.beat({ id: 'w2', host: 'b', active: 1 });
        await store.beat({ id: 'w1', host: 'a', active: 3 });
        const workers = (await store.workers()).toSorted((a, b) => a.id.localeCompare(b.id));
        expect(workers).toMatchObject([
          { id: 'w1', host: 'a', active: 3 },
          { id: 'w2', host: 'b', active: 1 },
        ]);
        await store.leave('w1');
        expect((await store.workers()).map(({ id }) => id)).toEqual(['w2']);
      });
    });

    describe('retention', () => {
      async function finishOne(store: JobStore, end: 'complete' | 'fail'): Promise<string> {
        const { job } = await store.add(newJob());
        const claim = await mustClaim(store);
        if (end === 'complete') await store.complete(claim, null);
        else await store.fail(claim, FAILURE, undefined);
        return job.id;
      }

      test('drops what finished long enough ago, each end by its own time', async () => {
        const store = await trial.open({ keep: { completedMs: 1, failedMs: 3_600_000, most: 100 } });
        const done = await finishOne(store, 'complete');
        const failed = await finishOne(store, 'fail');
        const waiting = (await store.add(newJob())).job.id;
        await until(async () => ((await store.sweep()).removed > 0 ? true : undefined));
        expect(await store.get(done)).toBeUndefined();
        expect((await store.get(failed))?.state).toBe('failed');
        expect((await store.get(waiting))?.state).toBe('created');
      });

      test('keeps no more than so many, the newest', async () => {
        const store = await trial.open({ keep: { completedMs: 3_600_000, failedMs: 3_600_000, most: 2 } });
        const ids: string[] = [];
        for (let n = 0; n < 5; n += 1) ids.push(await finishOne(store, n % 2 === 0 ? 'complete' : 'fail'));
        await store.sweep();
        const left = (await store.list({ limit: 200 })).jobs.map(({ id }) => id);
        expect(left).toEqual([ids[4], ids[3]]);
      });
    });

    describe('adopting', () => {
      test('takes jobs over as they are, once, and none whose key is taken', async () => {
        const source = await trial.open();
        await source.add(newJob({ data: 'waits', priority: 4, parent: makeJobId('mail') }));
        await source.add(newJob({ data: 'fails', priority: 9 }));
        await source.fail(await mustClaim(source), FAILURE, LATER);
        await source.add(newJob({ data: 'done', priority: 9 }));
        await source.complete(await mustClaim(source), { ok: 1 });
        await source.add(newJob({ data: 'single', singletonKey: 'k' }));
        const { jobs } = await source.list({ limit: 200 });
        await trial.clear();
        const store = await trial.open();
        const { job: holder } = await store.add(
          newJob({ singletonKey: 'k', type: 'scrape', data: 'holder' }),
        );
        await store.adopt(jobs.toReversed());
        await store.adopt(jobs.toReversed());
        const now = new Map((await store.list({ limit: 200 })).jobs.map((job) => [job.id, job]));
        expect(now.size).toBe(5);
        for (const job of jobs) {
          const adopted = now.get(job.id);
          if (job.data === 'single') expect(adopted).toMatchObject({ state: 'cancelled', singletonKey: 'k' });
          else expect(adopted).toEqual({ ...job, durability: store.durability });
        }
        const order: unknown[] = [];
        for (let claim = await claimOne(store); claim; claim = await claimOne(store)) order.push(claim.data);
        expect(order.toSorted()).toEqual(['holder', 'waits']);
        expect(holder.state).toBe('created');
      });
    });

    test('a second open, with more types, changes nothing, and a ping is answered', async () => {
      const store = await trial.open();
      await store.add(newJob());
      await store.open([...TYPES, 'new-type']);
      await store.ping();
      await store.add(newJob({ type: 'new-type', priority: 1 }));
      expect(await store.claim([{ type: 'new-type', count: 1 }], 'w')).toHaveLength(1);
      expect((await mustClaim(store)).type).toBe('scrape');
    });
  });
}
