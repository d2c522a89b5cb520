import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskPlan } from '../../../src/config/plan-runs.ts';
import type { SchedulePlan } from '../../../src/config/plan-schedules.ts';
import type { Remembered } from '../../../src/supervisor/schedule/ports.ts';
import { Scheduler } from '../../../src/supervisor/schedule/scheduler.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function schedule(changes: Partial<SchedulePlan> = {}): SchedulePlan {
  return {
    name: 'backup',
    cron: '0 2 * * *',
    timeZone: 'UTC',
    overlap: 'skip',
    catchUp: true,
    jitter: 0,
    off: undefined,
    run: {} as TaskPlan,
    job: undefined,
    ...changes,
  };
}

/** A scheduler whose wall clock may jump, while its timers follow the monotonic one; what is saved outlives it. */
class World {
  wall = Date.UTC(2026, 0, 1);
  mono = 0;
  disk: Record<string, Remembered> = {};
  /** Wall time of each start. */
  starts: { readonly name: string; readonly at: number }[] = [];
  said: string[] = [];
  /** Of the newest start. */
  lastSlot: number | undefined;
  running = new Set<string>();
  scheduler!: Scheduler;
  /** Each slot that was written down. */
  slots: number[] = [];
  private lives = 0;
  private timers = new Set<{ readonly due: number; readonly run: () => void }>();

  boot(plans: readonly SchedulePlan[]): void {
    this.timers.clear();
    this.running.clear();
    this.lives += 1;
    const life = this.lives;
    this.scheduler = new Scheduler({
      clock: {
        mono: () => this.mono,
        now: () => this.wall,
        after: (ms, run) => {
          const timer = { due: this.mono + ms, run };
          this.timers.add(timer);
          return () => this.timers.delete(timer);
        },
      },
      random: () => 0.5,
      load: () => structuredClone(this.disk),
      save: (memory) => {
        if (life !== this.lives) return Promise.resolve();
        this.disk = structuredClone(memory) as Record<string, Remembered>;
        const slot = this.disk.backup?.slot;
        if (slot !== undefined && slot !== this.slots.at(-1)) this.slots.push(slot);
        return Promise.resolve();
      },
      start: (name, slot) => {
        // Of a supervisor that was killed.
        if (life !== this.lives) return;
        expect(this.running.has(name), `${name} starts beside itself`).toBe(false);
        this.running.add(name);
        this.starts.push({ name, at: this.wall });
        this.lastSlot = slot;
      },
      say: (_level, text) => this.said.push(text),
    });
    this.scheduler.take(plans);
  }

  /** The container is gone for so long. */
  down(ms: number): void {
    this.timers.clear();
    this.running.clear();
    this.wall += ms;
    this.mono += ms;
  }

  async pass(ms: number): Promise<void> {
    const end = this.mono + ms;
    for (;;) {
      // What was saved lets the start go on in a microtask.
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      const next = [...this.timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.timers.delete(next);
      this.wall += Math.max(0, next.due - this.mono);
      this.mono = Math.max(this.mono, next.due);
      next.run();
    }
    this.wall += end - this.mono;
    this.mono = end;
  }

  end(name = 'backup', ok = true): void {
    this.running.delete(name);
    this.scheduler.ended(name, ok, ok ? '' : 'exit 1');
  }

  get startTimes(): string[] {
    return this.starts.map(({ at }) => new Date(at).toISOString());
  }
}

function world(...plans: SchedulePlan[]): World {
  const made = new World();
  made.boot(plans);
  return made;
}

describe('a schedule with retry_after', () => {
  const every = schedule({ cron: '', every: 5 * MINUTE, catchUp: false, retryAfter: 15_000 });
  /** Seconds since its first start. */
  const startsOf = (made: World): number[] =>
    made.starts.map(({ at }) => (at - (made.starts[0]?.at ?? 0)) / 1000);

  test('that failed is run again soon, and later and later, until it goes well', async () => {
    const made = world(every);
    await made.pass(5 * MINUTE);
    for (let fails = 0; fails < 4; fails += 1) {
      made.end('backup', false);
      await made.pass([15_000, 30_000, 60_000, 120_000][fails] ?? 0);
    }
    expect(startsOf(made)).toEqual([0, 15, 45, 105, 225]);
    made.end('backup', true);
    await made.pass(74_000);
    expect(startsOf(made)).toHaveLength(5);
    await made.pass(MINUTE);
    // Its own time, as if nothing had been.
    expect(startsOf(made)).toEqual([0, 15, 45, 105, 225, 300]);
    made.end('backup', false);
    await made.pass(15_000);
    expect(startsOf(made).at(-1)).toBeGreaterThan(300);
  });

  test('that fails all day is run every five minutes at least, and never beside itself', async () => {
    const made = world(schedule({ cron: '', every: HOUR, retryAfter: 15_000 }));
    await made.pass(HOUR);
    for (let look = 0; look < 2 * HOUR; look += 5000) {
      if (made.running.size > 0) made.end('backup', false);
      await made.pass(5000);
    }
    const gaps = startsOf(made)
      .slice(1)
      .map((at, index) => at - (startsOf(made)[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(310);
    expect(made.starts.length).toBeLessThan(40);
  });

  test('is run again after a restart of the supervisor, and not once it is out of the plan', async () => {
    const made = world(every);
    await made.pass(5 * MINUTE);
    made.end('backup', false);
    made.down(1000);
    made.boot([every]);
    await made.pass(16_000);
    expect(made.starts).toHaveLength(2);
    made.end('backup', false);
    made.scheduler.take([]);
    await made.pass(HOUR);
    expect(made.starts).toHaveLength(2);
  });

  test('is what the word asks for: without it the next time is soon enough', async () => {
    const made = world(schedule({ cron: '', every: 5 * MINUTE }));
    await made.pass(5 * MINUTE);
    made.end('backup', false);
    await made.pass(4 * MINUTE);
    expect(made.starts).toHaveLength(1);
  });
});

describe('a schedule', () => {
  test('runs when it is due, and says when next', async () => {
    const at = world(schedule());
    expect(at.scheduler.statuses()[0]).toMatchObject({ status: 'idle', nextRun: '2026-01-01T02:00:00.000Z' });
    await at.pass(2 * HOUR);
    expect(at.startTimes).toEqual(['2026-01-01T02:00:00.000Z']);
    expect(at.scheduler.statuses()[0]).toMatchObject({ status: 'running' });
    await at.pass(MINUTE);
    at.end();
    expect(at.scheduler.statuses()[0]).toMatchObject({
      status: 'idle',
      nextRun: '2026-01-02T02:00:00.000Z',
      lastRun: { startedAt: '2026-01-01T02:00:00.000Z', endedAt: '2026-01-01T02:01:00.000Z', ok: true },
    });
  });

  test('that is off runs never, and a reload switches it on', async () => {
    const at = world(schedule({ off: 'enabled is false' }));
    await at.pass(2 * DAY);
    expect(at.starts).toEqual([]);
    at.scheduler.take([schedule()]);
    await at.pass(DAY);
    expect(at.startTimes).toEqual(['2026-01-03T02:00:00.000Z']);
  });

  test('of an interval is due at each whole multiple of it, whenever the supervisor was started', async () => {
    const often = schedule({ cron: '', every: 5 * MINUTE });
    const at = world(often);
    await at.pass(2 * MINUTE);
    at.down(2 * MINUTE);
    at.boot([often]);
    expect(at.scheduler.statuses()[0]).toMatchObject({
      reason: 'every 5 min',
      nextRun: '2026-01-01T00:05:00.000Z',
    });
    await at.pass(2 * MINUTE);
    at.end();
    await at.pass(5 * MINUTE);
    expect(at.startTimes).toEqual(['2026-01-01T00:05:00.000Z', '2026-01-01T00:10:00.000Z']);
  });

  test('law 37: due while it still runs, it is skipped, or queued once', async () => {
    const everyMinute = { cron: '* * * * *' };
    const skips = world(schedule(everyMinute));
    await skips.pass(2.5 * MINUTE);
    expect(skips.startTimes).toEqual(['2026-01-01T00:01:00.000Z']);
    expect(skips.said).toEqual(['backup is due, but still running: skipped']);
    skips.end();
    await skips.pass(MINUTE);
    expect(skips.startTimes.at(-1)).toBe('2026-01-01T00:03:00.000Z');

    const queues = world(schedule({ ...everyMinute, overlap: 'queue' }));
    await queues.pass(4.5 * MINUTE);
    queues.end();
    expect(queues.startTimes).toEqual(['2026-01-01T00:01:00.000Z', '2026-01-01T00:04:30.000Z']);
  });

  test('law 37: missed while nobody was there, it is caught up once', async () => {
    const at = world(schedule());
    await at.pass(3 * HOUR);
    at.end();
    at.down(5 * DAY);
    at.boot([schedule()]);
    await at.pass(MINUTE);
    expect(at.startTimes).toEqual(['2026-01-01T02:00:00.000Z', '2026-01-06T03:00:00.000Z']);
    expect(at.said).toEqual(['backup was due 1 h ago: caught up now']);

    const without = world(schedule({ catchUp: false }));
    await without.pass(HOUR / 2);
    without.down(5 * DAY);
    without.boot([schedule({ catchUp: false })]);
    await without.pass(HOUR);
    expect(without.starts).toEqual([]);
    expect(without.scheduler.statuses()).toMatchObject([{ missed: 1 }]);
    await without.pass(DAY);
    expect(without.startTimes).toEqual(['2026-01-06T02:00:00.000Z']);
  });

  test('one that could not even be begun is caught up after the next start, in the name of its moment', async () => {
    const at = world(schedule());
    await at.pass(2 * HOUR);
    const { lastSlot } = at;
    expect(lastSlot).toBe(Date.UTC(2026, 0, 1, 2));
    at.scheduler.postpone('backup', lastSlot ?? 0);
    at.down(HOUR);
    at.boot([schedule()]);
    await at.pass(MINUTE);
    expect(at.startTimes).toEqual(['2026-01-01T02:00:00.000Z', '2026-01-01T03:00:00.000Z']);
    expect(at.lastSlot).toBe(lastSlot);
  });

  test('one that is new catches nothing up', async () => {
    const at = new World();
    at.wall += 90 * MINUTE + HOUR;
    at.boot([schedule()]);
    await at.pass(10 * HOUR);
    expect(at.starts).toEqual([]);
  });

  test('law 37: a kill right after its start does not run the moment again', async () => {
    const at = world(schedule());
    await at.pass(2 * HOUR);
    at.down(0);
    at.boot([schedule()]);
    await at.pass(10 * HOUR);
    expect(at.startTimes).toEqual(['2026-01-01T02:00:00.000Z']);
  });

  test('law 37: a clock that is set back an hour runs nothing twice, one set back a year is noticed', async () => {
    const at = world(schedule());
    await at.pass(2.5 * HOUR);
    at.end();
    at.wall -= HOUR;
    await at.pass(2 * HOUR);
    expect(at.starts).toHaveLength(1);

    at.wall -= 365 * DAY;
    await at.pass(DAY);
    expect(at.said).toEqual(['the clock was set back: backup is counted from now on']);
    expect(at.startTimes).toEqual(
      ['2026-01-01T02:00:00.000Z', '2025-01-02T02:00:00.000Z'].map((time) => time),
    );
  });

  test('law 37: a fixed time runs once a day though the clocks change', async () => {
    const berlin = world(schedule({ cron: '30 2 * * *', timeZone: 'Europe/Berlin' }));
    berlin.wall = Date.UTC(2026, 2, 27);
    berlin.disk = {};
    berlin.boot([schedule({ cron: '30 2 * * *', timeZone: 'Europe/Berlin' })]);
    for (let day = 0; day < 4; day += 1) {
      await berlin.pass(DAY);
      berlin.end();
    }
    // On the 29th 02:30 does not exist: the clock goes from 02:00 to 03:00, which is 01:00 UTC.
    expect(berlin.startTimes).toEqual([
      '2026-03-27T01:30:00.000Z',
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  test('a jitter delays it, and a run asked for by a person takes its place', async () => {
    const at = world(schedule({ jitter: 10 * MINUTE }));
    await at.pass(2 * HOUR + 4 * MINUTE);
    expect(at.starts).toEqual([]);
    const ended = at.scheduler.runNow('backup');
    expect(at.startTimes).toEqual(['2026-01-01T02:04:00.000Z']);
    expect(() => at.scheduler.runNow('backup')).toThrow('cannot run backup: it is running already');
    await at.pass(10 * MINUTE);
    at.end('backup', false);
    expect(await ended).toMatchObject({ ok: false, reason: 'exit 1' });
    expect(at.starts).toHaveLength(1);
    expect(() => at.scheduler.runNow('nothing')).toThrow('there is no such schedule');
  });

  test('a disk that cannot be written keeps nothing from running, and is told', async () => {
    const at = world();
    const scheduler = new Scheduler({
      clock: { mono: () => at.mono, now: () => at.wall, after: () => () => undefined },
      random: () => 0,
      load: () => ({ backup: { slot: at.wall - DAY } }),
      save: () => Promise.reject(new Error('no space left')),
      start: (name) => at.starts.push({ name, at: at.wall }),
      say: (_level, text) => at.said.push(text),
    });
    scheduler.take([schedule()]);
    await at.pass(0);
    expect(at.starts).toHaveLength(1);
    expect(at.said.at(-1)).toBe('cannot remember what was run: no space left; a restart may run it again');
    scheduler.stop();
  });

  test('removed while it runs, it never runs beside itself when it is back', async () => {
    const at = world(schedule({ cron: '* * * * *' }));
    await at.pass(MINUTE);
    at.scheduler.take([]);
    at.scheduler.take([schedule({ cron: '* * * * *' })]);
    await at.pass(5 * MINUTE);
    expect(at.starts).toHaveLength(1);
    at.end();
    await at.pass(MINUTE);
    expect(at.starts).toHaveLength(2);
  });

  test('law 37: whatever clocks, crashes and long runs do, no moment is run twice', async () => {
    const act = fc.oneof(
      { weight: 5, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 3 * HOUR }) }) },
      { weight: 3, arbitrary: fc.constant({ end: true }) },
      { weight: 1, arbitrary: fc.record({ down: fc.integer({ min: 0, max: 3 * DAY }) }) },
      { weight: 1, arbitrary: fc.record({ jump: fc.integer({ min: -90 * MINUTE, max: 2 * DAY }) }) },
      { weight: 1, arbitrary: fc.constant({ reload: true }) },
    );
    const plans = fc.record({
      cron: fc.constantFrom('0 * * * *', '*/20 * * * *', '30 2 * * *'),
      every: fc.constantFrom(undefined, 7 * MINUTE),
      catchUp: fc.boolean(),
      jitter: fc.constantFrom(0, 5 * MINUTE),
    });
    await fc.assert(
      fc.asyncProperty(plans, fc.array(act, { maxLength: 40 }), async ({ every, ...changes }, acts) => {
        const plan = schedule({ ...changes, ...(every === undefined ? {} : { every }) });
        const at = world(plan);
        let latest = at.wall;
        for (const one of acts) {
          if ('pass' in one) await at.pass(one.pass);
          else if ('end' in one) {
            if (at.running.has('backup')) at.end();
          } else if ('down' in one) {
            at.down(one.down);
            at.boot([plan]);
          } else if ('jump' in one) {
            latest = Math.max(latest, at.wall);
            // Further back the count begins anew, and says so.
            if (at.wall + one.jump > latest - 3 * HOUR) at.wall += one.jump;
          } else at.scheduler.take([plan]);
        }
        expect(at.slots).toEqual([...new Set(at.slots)].sort((a, b) => a - b));
        // The first is where it began to count.
        expect(at.starts.length).toBeLessThan(Math.max(1, at.slots.length));
        at.scheduler.stop();
      }),
      { numRuns: 40 },
    );
  });
});
