import { describe, expect, test } from 'vitest';
import { createSelfCheck } from '../../src/supervisor/self-check.ts';
import { manualClock } from '../support/clock.ts';

function selfCheck() {
  const world = {
    clock: manualClock(),
    zombies: [] as number[],
    sweeps: 0,
    hasFiles: true,
    overdue: undefined as string | undefined,
  };
  const check = createSelfCheck({
    clock: world.clock,
    reaper: {
      zombies: () => world.zombies,
      sweepSoon: () => {
        world.sweeps += 1;
      },
    },
    logs: {
      stats: () => ({
        outputQueued: 10,
        outputDropped: 1,
        hasFiles: world.hasFiles,
        files: {
          app: { written: 0, queued: 5, dropped: 0, failures: 0, hidden: 0, heldSeconds: 0 },
          db: { written: 0, queued: 7, dropped: 2, failures: 0, hidden: 0, heldSeconds: 0 },
        },
      }),
    },
    overdue: () => world.overdue,
    internalErrors: () => 3,
  });
  return { world, check };
}

describe('the supervisor about itself', () => {
  test('a zombie is no fault at first: it is swept for, and only one that stays is', () => {
    const { world, check } = selfCheck();
    expect(check.fault()).toBeUndefined();
    world.zombies = [77];
    expect(check.fault()).toBeUndefined();
    expect(world.sweeps).toBe(1);
    world.clock.advance(9_000);
    expect(check.fault()).toBeUndefined();
    world.clock.advance(1_000);
    expect(check.fault()).toBe('the reaper stands still: 1 zombies stay');
    world.zombies = [];
    expect(check.fault()).toBeUndefined();
  });

  test('zombies that come and go are no fault, however often one is seen', () => {
    const { world, check } = selfCheck();
    for (let pid = 1; pid < 10; pid += 1) {
      world.zombies = [pid];
      expect(check.fault()).toBeUndefined();
      world.clock.advance(9_000);
    }
  });

  test('a deadline that nothing came of is a fault, with the name of the run', () => {
    const { world, check } = selfCheck();
    world.overdue = 'app';
    expect(check.fault()).toContain('app');
  });

  test('sums up what waits and what was missed, and keeps no timer', () => {
    const { world, check } = selfCheck();
    world.zombies = [5, 6];
    expect(check.status()).toMatchObject({
      fault: undefined,
      zombies: 2,
      logQueuedBytes: 22,
      logDroppedLines: 3,
      logLostLines: { db: 2 },
      internalErrors: 3,
    });
    world.hasFiles = false;
    expect(check.status().logLostLines).toEqual({ 'standard output': 1 });
    expect(check.status().openFiles).toBeGreaterThan(2);
    expect(world.clock.armed).toBe(0);
  });
});
