import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/protocol/channel.ts';
import type { KeptEnd } from '../../../src/protocol/kept-runs.ts';
import { createKeptRuns } from '../../../src/supervisor/control/kept-runs.ts';

const NEVER = new AbortController().signal;
const order = (id: string) => ({ id, label: { kind: 'backup run' } });
const percent = (value: number): Report => ({
  type: 'progress',
  progress: { what: 'dumping', percent: value, detail: undefined },
});
const note = (text: string): Report => ({ type: 'note', text });

/** A run that says and ends what the test wants. */
function played() {
  const begun = Promise.withResolvers<{ hear: (report: Report) => void; signal: AbortSignal }>();
  const end = Promise.withResolvers<number>();
  return {
    begun: begun.promise,
    end,
    run: (hear: (report: Report) => void, signal: AbortSignal) => {
      begun.resolve({ hear, signal });
      return end.promise;
    },
  };
}

describe('a kept run', () => {
  test('goes on without anybody, and who comes later hears what was kept and the rest', async () => {
    const runs = createKeptRuns(() => 0);
    const { run, begun, end } = played();
    runs.begin(order('a'), run);
    const { hear } = await begun;
    const gone = new AbortController();
    const first: Report[] = [];
    const left = runs.follow('a', (report) => first.push(report), gone.signal);
    for (const report of [percent(1), note('slow disk'), percent(2)]) hear(report);
    gone.abort();
    expect(await left).toBeUndefined();
    hear(percent(3));
    const later: Report[] = [];
    const over = runs.follow('a', (report) => later.push(report), NEVER);
    hear({ type: 'result', value: { made: ['x'] } });
    end.resolve(0);
    expect(await over).toEqual({ code: 0, endedAt: '1970-01-01T00:00:00.000Z', cancelled: false });
    expect(first).toEqual([percent(1), note('slow disk'), percent(2)]);
    expect(later).toEqual([note('slow disk'), percent(3), { type: 'result', value: { made: ['x'] } }]);
    const last: Report[] = [];
    await runs.follow('a', (report) => last.push(report), NEVER);
    expect(last).toEqual([note('slow disk'), { type: 'result', value: { made: ['x'] } }]);
    expect(runs.list()).toMatchObject([{ id: 'a', label: { kind: 'backup run' }, end: { code: 0 } }]);
  });

  test('is asked to end once it is cancelled, and by nothing else', async () => {
    const runs = createKeptRuns(() => 0);
    const { run, begun, end } = played();
    runs.begin(order('a'), run);
    const { signal } = await begun;
    expect([signal.aborted, runs.cancel('b'), runs.cancel('a'), signal.aborted]).toEqual([
      false,
      false,
      true,
      true,
    ]);
    end.resolve(143);
    expect(await runs.follow('a', () => {}, NEVER)).toMatchObject({ code: 143, cancelled: true });
    expect(runs.cancel('a')).toBe(false);
  });

  test('that could not begin is told so to who asked, and is none', async () => {
    const runs = createKeptRuns(() => 0);
    const { run, end } = played();
    runs.begin(order('a'), run);
    const heard = runs.follow('a', () => {}, NEVER);
    end.reject(new Error('everything is being stopped'));
    await expect(heard).rejects.toThrow('everything is being stopped');
    expect(runs.list()).toEqual([]);
    await expect(runs.follow('a', () => {}, NEVER)).rejects.toThrow('cannot follow the run a: there is none');
  });

  test('has an id of its own, and is one of 32', () => {
    const runs = createKeptRuns(() => 0);
    for (let count = 0; count < 32; count += 1) runs.begin(order(`r${count}`), played().run);
    expect(() => runs.begin(order('r0'), played().run)).toThrow('its id is taken');
    expect(() => runs.begin(order('more'), played().run)).toThrow('32 run already');
  });

  test('that has ended is kept for a while: fifty, and half a megabyte of what they said', async () => {
    const runs = createKeptRuns(() => 0);
    const carryOut = async (id: string, value: unknown): Promise<KeptEnd | undefined> => {
      runs.begin(order(id), async (hear) => {
        hear({ type: 'result', value });
        return 0;
      });
      return runs.follow(id, () => {}, NEVER);
    };
    for (let count = 0; count < 60; count += 1) await carryOut(`r${count}`, 'x');
    expect(runs.list().map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => `r${at + 10}`));
    await carryOut('big', 'x'.repeat(600_000));
    expect(runs.list().map(({ id }) => id)).toEqual(['big']);
    await carryOut('small', 'x');
    expect(runs.list().map(({ id }) => id)).toEqual(['small']);
  });
});
