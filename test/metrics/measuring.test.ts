/** The program that measures, as long as somebody wants its figures. */
import { expect, test } from 'vitest';
import { createMeasuring } from '../../src/metrics/measuring.ts';
import type { RunOutput } from '../../src/protocol/control.ts';
import type { Measures } from '../../src/protocol/metrics.ts';
import { manualClock } from '../support/clock.ts';

const measures = (verified: number): Measures => ({
  backups: [{ kind: 'dump', verified, unverified: 0, newest: undefined }],
});

/** A program that a test has tell its figures and end. */
function startStage() {
  const clock = manualClock();
  const runs: { say(output: RunOutput): void; end(): void; readonly isOver: () => boolean }[] = [];
  async function* begin(signal: AbortSignal): AsyncGenerator<RunOutput> {
    let [wake, isOver] = [(): void => undefined, false];
    const outputs: RunOutput[] = [];
    const end = (): void => {
      isOver = true;
      wake();
    };
    signal.addEventListener('abort', end, { once: true });
    runs.push({
      say: (output) => {
        outputs.push(output);
        wake();
      },
      end,
      isOver: () => isOver,
    });
    for (;;) {
      const output = outputs.shift();
      if (output) yield output;
      else if (isOver) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  const ask = createMeasuring({ begin, now: () => clock.mono(), after: clock.after });
  return { clock, runs, ask };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('is begun by the first who asks, and gives its last figures to all who ask later', async () => {
  const { clock, runs, ask } = startStage();
  const first = ask();
  runs[0]?.say({ type: 'result', value: measures(1) });
  expect(await first).toEqual(measures(1));
  clock.advance(60_000);
  expect(await ask()).toEqual(measures(1));
  runs[0]?.say({ type: 'result', value: measures(2) });
  await turn();
  expect(await ask()).toEqual(measures(2));
  expect(runs).toHaveLength(1);
});

test('ends when nobody has asked for three minutes, and is begun again by the next', async () => {
  const { clock, runs, ask } = startStage();
  const first = ask();
  for (let minute = 0; minute < 3; minute += 1) {
    runs[0]?.say({ type: 'result', value: measures(minute) });
    await turn();
    expect(runs[0]?.isOver()).toBe(false);
    clock.advance(60_000);
  }
  await first;
  expect(runs[0]?.isOver()).toBe(true);
  await turn();
  clock.advance(60_000);
  const next = ask();
  runs[1]?.say({ type: 'result', value: measures(9) });
  expect(await next).toEqual(measures(9));
});

test('one that hangs gives no old figures for new ones, is ended, and another is begun', async () => {
  const { clock, runs, ask } = startStage();
  const first = ask();
  runs[0]?.say({ type: 'result', value: measures(1) });
  await first;
  clock.advance(76_000);
  const late = ask();
  clock.advance(25_000);
  await expect(late).rejects.toThrow('has ended');
  expect(runs[0]?.isOver()).toBe(true);
  void ask().catch(() => undefined);
  expect(runs).toHaveLength(2);
});

test('one that cannot work is not begun again within a minute', async () => {
  const { clock, runs, ask } = startStage();
  const first = ask();
  runs[0]?.say({ type: 'failure', message: 'no', remedy: undefined });
  await expect(first).rejects.toThrow('no');
  clock.advance(59_000);
  await expect(ask()).rejects.toThrow('too soon');
  expect(runs).toHaveLength(1);
  clock.advance(1000);
  void ask().catch(() => undefined);
  expect(runs).toHaveLength(2);
});
