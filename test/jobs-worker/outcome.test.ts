/** What an end means, when the next attempt comes, and what of others' JSON is taken. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { begin, type Input, step, type Why } from '../../src/jobs/worker/attempt-machine.ts';
import { checkAdd } from '../../src/jobs/worker/check-add.ts';
import { checkRequest } from '../../src/jobs/worker/check-request.ts';
import { cleanText, findJsonProblem } from '../../src/jobs/worker/json-limits.ts';
import { type Ending, outcomeOf } from '../../src/jobs/worker/outcome.ts';
import { retryDelay } from '../../src/jobs/worker/retry-delay.ts';
import { roomFor } from '../../src/jobs/worker/wishes.ts';
import { aType } from './world.ts';

const NOW = Date.UTC(2026, 0, 1);

function ended(
  end: Partial<Ending['end']>,
  more: { readonly why?: Why; readonly result?: unknown; readonly attempt?: number } = {},
) {
  const { why, result, attempt = 1 } = more;
  return outcomeOf(
    {
      claim: { attempt, maxAttempts: 3 },
      type: aType('scrape'),
      end: { code: null, signal: null, ...end },
      why,
      result: result === undefined ? undefined : { value: result },
      refused: undefined,
    },
    NOW,
    0,
  );
}

describe('an attempt that ends', () => {
  test.each<[string, Partial<Ending['end']>, string, string]>([
    ['with a code', { code: 3, lastLine: 'no page' }, 'exit', 'exit 3: no page'],
    ['by a signal', { signal: 'SIGSEGV' }, 'signal', 'killed by SIGSEGV'],
    [
      'over its memory',
      { signal: 'SIGKILL', killedBy: 'memory' },
      'memory',
      'out of memory: it used more than its limit',
    ],
    ['by the kernel', { signal: 'SIGKILL', killedBy: 'oom' }, 'oom', 'killed by the kernel: out of memory'],
    ['before it began', { startError: 'there is no node' }, 'start', 'there is no node'],
  ])('%s has failed, with the reason', (_, end, reason, message) => {
    expect(ended(end)).toEqual({ kind: 'failed', failure: { reason, message }, retryAt: NOW + 1000 });
    expect(ended(end, { attempt: 3 })).toMatchObject({ kind: 'failed', retryAt: undefined });
  });

  test('with 0 has completed, but not when it was asked to stop and told no result', () => {
    expect(ended({ code: 0 })).toEqual({ kind: 'completed', result: undefined });
    expect(ended({ code: 0 }, { why: 'timeout' })).toMatchObject({ failure: { reason: 'timeout' } });
    expect(ended({ code: 0 }, { why: 'timeout', result: 1 })).toEqual({ kind: 'completed', result: 1 });
    expect(ended({ code: 0 }, { why: 'shutdown' })).toEqual({ kind: 'released' });
    expect(ended({ code: 0 }, { why: 'shutdown', result: 1 })).toEqual({ kind: 'completed', result: 1 });
    expect(ended({ code: 0 }, { why: 'cancel', result: 1 })).toEqual({ kind: 'cancelled' });
    expect(ended({ code: 0 }, { why: 'lost', result: 1 })).toEqual({ kind: 'lost' });
    expect(ended({ signal: 'SIGKILL' }, { why: 'silent' })).toEqual({ kind: 'released' });
  });

  test('is settled once, whatever happens to it in whatever order', () => {
    const inputs = fc.constantFrom<Input>(
      'timeout',
      'cancel',
      'shutdown',
      'lost',
      'silent',
      'kill',
      'ended',
      'settled',
    );
    fc.assert(
      fc.property(fc.array(inputs), (history) => {
        let state = begin();
        const effects = [...history, 'ended' as const, 'settled' as const].flatMap((input) => {
          const next = step(state, input);
          state = next.state;
          return next.effects;
        });
        expect(state.phase).toBe('settled');
        expect(effects.filter((effect) => effect === 'settle')).toHaveLength(1);
        expect(effects.filter((effect) => effect === 'forget')).toHaveLength(1);
        expect(effects.filter((effect) => effect === 'kill').length).toBeLessThanOrEqual(1);
        const before = history.slice(0, history.includes('ended') ? history.indexOf('ended') : undefined);
        if (before.includes('lost')) expect(state.why).toBe('lost');
        else if (before.includes('cancel')) expect(state.why).toBe('cancel');
      }),
    );
  });
});

describe('the wait before a retry', () => {
  const words = fc.record({
    retryDelay: fc.integer({ min: 0, max: 600_000 }),
    retryDelayMax: fc.integer({ min: 0, max: 3_600_000 }),
  });

  test('keeps to the words of the plan, grows, and is not the same for all', () => {
    fc.assert(
      fc.property(
        words,
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (type, failed, chance) => {
          const wait = retryDelay(type, failed, chance);
          expect(wait).toBeLessThanOrEqual(type.retryDelayMax);
          expect(wait).toBeGreaterThanOrEqual(Math.min(type.retryDelay, type.retryDelayMax));
          expect(retryDelay(type, failed + 1, chance)).toBeGreaterThanOrEqual(wait);
        },
      ),
    );
    const type = { retryDelay: 10_000, retryDelayMax: 600_000 };
    expect([1, 2, 3, 20].map((failed) => retryDelay(type, failed, 0))).toEqual([
      10_000, 20_000, 40_000, 400_000,
    ]);
    expect([1, 2, 3, 20].map((failed) => retryDelay(type, failed, 0.999_999))).toEqual([
      15_000, 30_000, 60_000, 600_000,
    ]);
  });
});

test('what is claimed never exceeds a type nor all', () => {
  const types = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      types,
      fc.array(fc.nat({ max: 9 }), { maxLength: 5 }),
      fc.nat({ max: 20 }),
      (limits, busy, all) => {
        const plan = limits.map((concurrency, n) => ({ name: `t${n}`, concurrency }));
        const active = new Map(busy.map((count, n) => [`t${n}`, count]));
        const { wishes, most } = roomFor(plan, all, active);
        const live = busy.reduce((sum, count) => sum + count, 0);
        expect(Math.max(0, most) + live).toBeLessThanOrEqual(Math.max(all, live));
        for (const { type, count } of wishes) {
          expect(count).toBeGreaterThan(0);
          const limit = plan.find(({ name }) => name === type)?.concurrency ?? 0;
          expect(count + (active.get(type) ?? 0)).toBeLessThanOrEqual(limit);
        }
      },
    ),
  );
});

/** Halves of characters and U+0000 as well. */
const anyText = fc.array(fc.nat({ max: 0xffff })).map((codes) => String.fromCharCode(...codes));

describe('what people send', () => {
  test.each<[unknown, string]>([
    [undefined, 'must be an object'],
    [{ op: 'toString' }, 'op must be one of'],
    [{ op: 'add' }, 'add needs type'],
    [{ op: 'get', id: 'x' }, "id must be a job's id"],
    [{ op: 'list', limit: 201 }, 'limit must be a whole number from 1 to 200'],
    [{ op: 'list', state: ['new'] }, 'state must be a list of created'],
    [{ op: 'status', id: 1 }, 'status knows no "id"'],
  ])('%j is refused', (request, message) => {
    expect(checkRequest(request)).toMatchObject({ ok: false, code: 'bad-request' });
    expect((checkRequest(request) as { message: string }).message).toContain(message);
  });

  test.each<[object, string]>([
    [{ data: 'a\0b' }, 'bad-request'],
    [{ data: { 'k\ud800': 1 } }, 'bad-request'],
    [{ data: 'x'.repeat(65_536) }, 'too-large'],
    [{ data: JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) }, 'bad-request'],
    [{ priority: 1.5 }, 'bad-request'],
    [{ startAfter: 'tomorrow' }, 'bad-request'],
    [{ idempotencyKey: 'x'.repeat(201) }, 'bad-request'],
  ])('a job with %.60j is refused', (more, code) => {
    expect(checkAdd({ op: 'add', type: 'scrape', ...more }, aType('scrape'), NOW)).toMatchObject({
      ok: false,
      code,
    });
  });

  test('a type that is single by a key of its data is single by nothing else', () => {
    const type = aType('scrape', { singleton: 'tool' });
    const add = (data: unknown) =>
      checkAdd({ op: 'add', type: 'scrape', data, singletonKey: 'mine' }, type, NOW);
    expect(add({ tool: 'x' })).toMatchObject({ singletonKey: 'tool=x' });
    expect(add({ tool: 7 })).toMatchObject({ singletonKey: 'tool=7' });
    expect(add({ url: 'https://x.test' })).toMatchObject({ singletonKey: undefined });
    expect(add([])).toMatchObject({ singletonKey: undefined });
    for (const tool of ['', null, [7], { id: 7 }])
      expect(add({ tool })).toMatchObject({ code: 'bad-request' });
  });

  test('any JSON is taken or refused with a word, and texts are always fit to be kept', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), anyText, (value, text) => {
        findJsonProblem('data', value);
        const clean = cleanText(text, 20);
        expect(clean.length).toBeLessThanOrEqual(20);
        expect(findJsonProblem('text', clean)).toBeUndefined();
      }),
    );
  });
});
