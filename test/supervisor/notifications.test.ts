import { expect, test } from 'vitest';
import type { ServicePlan } from '../../src/config/plan-runs.ts';
import { ALIVE, followNotifications } from '../../src/supervisor/notifications.ts';
import { manualClock } from '../support/clock.ts';
import { aService } from '../support/runs.ts';

function follow(changes: Partial<ServicePlan> = {}) {
  const clock = manualClock();
  const told: string[] = [];
  const notifications = followNotifications(aService('app', changes), clock, {
    ready: () => told.push('ready'),
    status: (text) => told.push(`status ${text}`),
    stopping: () => told.push('stopping'),
    extend: (ms) => told.push(`extend ${ms}`),
    silent: (why) => told.push(why),
    spoke: () => told.push('spoke'),
  });
  const say = (...lines: string[]): void =>
    notifications.take(new Map(lines.map((line) => line.split('=') as [string, string])));
  return { clock, told, say, notifications };
}

test('READY and STATUS are told, and what is no word of ours is passed over', () => {
  const { told, say, clock } = follow();
  say('READY=1', 'STATUS=loading', 'MAINPID=4', 'X_OWN=1');
  say('READY=0');
  expect(told).toEqual(['status loading', 'ready']);
  expect(clock.armed).toBe(0);
});

test('STOPPING and EXTEND_TIMEOUT_USEC are told, in ms and ten minutes at most', () => {
  const { told, say, clock } = follow();
  say('STOPPING=1', 'EXTEND_TIMEOUT_USEC=2500000');
  say('STOPPING=0');
  for (const word of ['999999999999', '0', '-5', 'soon', '1e9', '']) say(`EXTEND_TIMEOUT_USEC=${word}`);
  expect(told).toEqual(['stopping', 'extend 2500', 'extend 600000']);
  expect(clock.armed).toBe(0);
});

test('before it is ready nobody waits for its watchdog', () => {
  const { told, clock } = follow({ watchdog: 1000 });
  clock.advance(10_000);
  expect(told).toEqual([]);
  expect(clock.armed).toBe(0);
});

test('silence after readiness is told once, and each word puts it off', () => {
  const { told, say, clock } = follow({ watchdog: 1000 });
  say('READY=1');
  for (let each = 0; each < 20; each += 1) {
    clock.advance(900);
    say('WATCHDOG=1');
    expect(clock.armed).toBe(1);
  }
  clock.advance(999);
  expect(told).toEqual(['ready']);
  clock.advance(5000);
  expect(told).toEqual(['ready', 'no WATCHDOG=1 for 1.0 s']);
});

test('one that speaks again is told so, and watched again', () => {
  const { told, say, clock } = follow({ watchdog: 1000 });
  say('WATCHDOG=1');
  clock.advance(2000);
  say('WATCHDOG=1');
  clock.advance(2000);
  expect(told).toEqual(['no WATCHDOG=1 for 1.0 s', 'spoke', 'no WATCHDOG=1 for 1.0 s']);
});

test('a service can say itself that it is stuck', () => {
  const { told, say } = follow({ watchdog: 1000 });
  say('WATCHDOG=1');
  say('WATCHDOG=trigger');
  expect(told).toEqual(['it said WATCHDOG=trigger']);
});

test('nothing is armed after its end', () => {
  const { told, say, clock, notifications } = follow({ watchdog: 1000 });
  say('READY=1');
  notifications.stop();
  expect(clock.armed).toBe(0);
  clock.advance(5000);
  expect(told).toEqual(['ready']);
});

test('of our own programs another word says that they live, by another way', () => {
  const { told, notifications, clock } = follow({
    watchdog: 10_000,
    work: { kind: 'program', program: 'worker' },
  });
  notifications.take(ALIVE);
  clock.advance(9000);
  notifications.take(ALIVE);
  clock.advance(9999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual(['it hangs: no word for 10 s']);
  notifications.take(ALIVE);
  expect(told.at(-1)).toBe('spoke');
});

test.for([
  ['an hour (docker pause)', 3_600_000],
  ['less than its watchdog (a machine that is moved)', 7000],
] as const)('who was stopped himself for %s blames nobody for a silence he could not hear', ([, stall]) => {
  let late = 0;
  const clock = manualClock();
  const told: string[] = [];
  const nothing = (): void => undefined;
  const notifications = followNotifications(
    aService('app', { watchdog: 10_000 }),
    { mono: () => clock.mono() + late, after: clock.after },
    {
      ready: nothing,
      status: nothing,
      stopping: nothing,
      extend: nothing,
      silent: (why) => told.push(why),
      spoke: nothing,
    },
  );
  notifications.take(new Map([['READY', '1']]));
  late = stall;
  clock.advance(10_000);
  expect(told).toEqual([]);
  clock.advance(4999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toHaveLength(1);
});
