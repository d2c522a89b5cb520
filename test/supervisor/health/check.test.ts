import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckPlan } from '../../../src/config/plan-runs.ts';
import { type Checks, openChecks } from '../../../src/supervisor/health/checks.ts';
import type { ProbeExit } from '../../../src/supervisor/health/ports.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';

interface Asked {
  readonly service: string;
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
  end(exit: Partial<ProbeExit>): Promise<void>;
  break(error: Error): Promise<void>;
}

const PLAN: CheckPlan = {
  probe: { kind: 'exec', argv: ['is-well'] },
  interval: 10_000,
  timeout: 2000,
  retries: 3,
  startPeriod: 0,
  startInterval: 1000,
};

let clock: ManualClock;
let checks: Checks;
let asked: Asked[];
let told: string[];
/** Time in which no timer fired. */
let asleep: number;

beforeEach(() => {
  clock = manualClock();
  asked = [];
  told = [];
  asleep = 0;
  checks = openChecks(
    { ...clock, mono: () => clock.mono() + asleep },
    {
      fill: (service, text) => (typeof text === 'string' ? text : `filled for ${service}`),
      readFile: () => undefined,
      runProbe: (service, argv, signal) =>
        new Promise((resolve, reject) => {
          asked.push({
            service,
            argv,
            signal,
            end: (exit) => {
              resolve({ code: 0, signal: null, lastLine: undefined, ...exit });
              return turn();
            },
            break: (error) => {
              reject(error);
              return turn();
            },
          });
        }),
    },
    {
      passed: (name, generation, ms) => told.push(`${name}#${generation} passed in ${ms}`),
      failed: (name, generation, error, wentDown) =>
        told.push(`${name}#${generation} ${wentDown ? 'DOWN' : 'failed'}: ${error}`),
      busy: (name, generation, what) => told.push(`${name}#${generation} BUSY: ${what}`),
    },
    () => 0,
  );
});

afterEach(() => {
  checks.stopAll();
  expect(clock.armed).toBe(0);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Moves time on step by step and answers every question, at once. */
async function live(ms: number, answer: (index: number) => Partial<ProbeExit>): Promise<void> {
  let answered = 0;
  for (let passed = 0; passed < ms; passed += 25) {
    clock.advance(25);
    for (; answered < asked.length; answered += 1) await asked[answered]?.end(answer(answered));
  }
}

describe('a check', () => {
  it('asks at once, often until the first success, and by its interval from then on', async () => {
    checks.start('app', 1, PLAN);
    const times: number[] = [];
    const start = clock.mono();
    for (let step = 0; step < 1000; step += 1) {
      clock.advance(25);
      const latest = asked[times.length];
      if (!latest) continue;
      times.push(clock.mono() - start);
      await latest.end({ code: times.length < 6 ? 1 : 0 });
    }
    expect(times.slice(0, 6)).toEqual([25, 225, 625, 1425, 2425, 3425]);
    expect(times.slice(6)).toEqual([13_425, 23_425]);
  });

  it('asks sooner in the beginning where asking starts no process', async () => {
    checks.start('app', 1, { ...PLAN, probe: { kind: 'tcp', host: '127.0.0.1', port: 1 } });
    clock.advance(0);
    expect(clock.armed).toBe(1);
  });

  it('is up at the first success and tells each', async () => {
    checks.start('app', 4, PLAN);
    clock.advance(0);
    expect(checks.statusOf('app')).toMatchObject({ up: undefined, failures: 0, threshold: 3, at: undefined });
    clock.advance(120);
    await asked[0]?.end({});
    expect(told).toEqual(['app#4 passed in 120']);
    expect(checks.statusOf('app')).toMatchObject({
      up: true,
      durationMs: 120,
      at: '2026-01-01T00:00:00.120Z',
    });
  });

  it('is down after so many failures in a row, told once, and up again at the next success', async () => {
    checks.start('app', 1, PLAN);
    const fails = new Set([1, 2, 4, 5, 6, 7]);
    await live(90_000, (index) => ({ code: fails.has(index) ? 1 : 0 }));
    expect(told.slice(0, 9).map((line) => line.split(' ')[1]?.replace(':', ''))).toEqual([
      'passed',
      'failed',
      'failed',
      'passed',
      'failed',
      'failed',
      'DOWN',
      'failed',
      'passed',
    ]);
    expect(checks.statusOf('app')).toMatchObject({ up: true, failures: 0, lastError: undefined });
  });

  it('does not count failures within the start period, and after it one per interval until the first success', async () => {
    checks.start('app', 1, { ...PLAN, startPeriod: 60_000 });
    let down: number | undefined;
    for (let answered = 0; down === undefined && clock.mono() < 200_000; ) {
      clock.advance(100);
      for (; answered < asked.length; answered += 1) await asked[answered]?.end({ code: 1 });
      if (told.some((line) => line.includes('DOWN'))) down = clock.mono();
    }
    expect(asked.length).toBeGreaterThan(80);
    expect(down).toBeGreaterThanOrEqual(90_000);
    expect(down).toBeLessThan(94_000);
  });

  it('counts every failure after the first success, also within the start period', async () => {
    checks.start('app', 1, { ...PLAN, startPeriod: 600_000 });
    await live(40_000, (index) => ({ code: index === 0 ? 0 : 1 }));
    expect(told.filter((line) => line.includes('DOWN'))).toHaveLength(1);
  });

  it('law 18: calls off a probe that takes too long, and never asks twice at once', async () => {
    checks.start('app', 1, PLAN);
    clock.advance(0);
    await asked[0]?.end({});
    clock.advance(10_000);
    clock.advance(2000);
    expect(asked[1]?.signal.aborted).toBe(true);
    expect(told.at(-1)).toBe('app#1 failed: no answer within 2.0 s');
    clock.advance(10_000);
    expect(told.at(-1)).toMatch(/failed: the last probe has not ended yet, long after 2.0 s/);
    clock.advance(10_000);
    expect(told.at(-1)).toMatch(/DOWN/);
    expect(asked).toHaveLength(2);
    await asked[1]?.end({ code: null, signal: 'SIGKILL' });
    clock.advance(10_000);
    expect(asked).toHaveLength(3);
    expect(told).toHaveLength(4);
  });

  it.each<[Partial<ProbeExit>, string]>([
    [{ code: 3, lastLine: 'no such table' }, 'exit 3: no such table'],
    [{ code: 1 }, 'exit 1'],
    [{ code: null, signal: 'SIGSEGV' }, 'killed by SIGSEGV'],
  ])('says how its command ended: %j', async (exit, text) => {
    checks.start('app', 1, PLAN);
    clock.advance(0);
    await asked[0]?.end(exit);
    expect(told).toEqual([`app#1 failed: ${text}`]);
    expect(checks.statusOf('app')?.lastError).toBe(text);
  });

  it('whose command cannot be started has failed', async () => {
    checks.start('app', 1, PLAN);
    clock.advance(0);
    await asked[0]?.break(new Error('cannot start is-well: no such program'));
    expect(told).toEqual(['app#1 failed: cannot start is-well: no such program']);
  });

  it('fills late values each time it asks', async () => {
    checks.start('app', 1, {
      ...PLAN,
      probe: { kind: 'exec', argv: ['psql', { parts: [{ late: 'DATABASE_URL' }] }] },
    });
    clock.advance(0);
    expect(asked[0]?.argv).toEqual(['psql', 'filled for app']);
  });

  it('that is stopped calls its probe off, says nothing more and keeps no timer', async () => {
    checks.start('app', 1, PLAN);
    clock.advance(0);
    checks.stop('app');
    expect(asked[0]?.signal.aborted).toBe(true);
    expect(checks.statusOf('app')).toBeUndefined();
    expect(clock.armed).toBe(0);
    await asked[0]?.end({});
    clock.advance(60_000);
    expect(told).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it('of an older generation is not the one that is stopped, and the newer replaces it', async () => {
    checks.start('app', 1, PLAN);
    clock.advance(0);
    checks.start('app', 2, PLAN);
    clock.advance(0);
    checks.stop('app', 1);
    await asked[0]?.end({ code: 1 });
    await asked[1]?.end({});
    expect(told).toEqual(['app#2 passed in 0']);
  });

  it('can be stopped from within its own callback', async () => {
    checks.stopAll();
    let stopped = 0;
    const own: Checks = openChecks(
      clock,
      {
        fill: () => '',
        readFile: () => undefined,
        runProbe: async () => ({ code: 1, signal: null, lastLine: undefined }),
      },
      {
        passed: () => {},
        busy: () => {},
        failed: () => {
          stopped += 1;
          own.stopAll();
        },
      },
    );
    own.start('app', 1, PLAN);
    clock.advance(0);
    await turn();
    clock.advance(60_000);
    await turn();
    expect(stopped).toBe(1);
  });

  it('that has not been answered for long, as after a sleep of the machine, is not known to be well', async () => {
    checks.start('app', 1, PLAN);
    clock.advance(0);
    await asked[0]?.end({});
    expect(checks.statusOf('app')?.up).toBe(true);
    asleep = 42_000;
    expect(checks.statusOf('app')).toMatchObject({ up: undefined, lastError: 'stale: last answer 42 s ago' });
  });
});
