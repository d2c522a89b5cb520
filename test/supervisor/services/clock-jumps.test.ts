import fc from 'fast-check';
import { expect, test } from 'vitest';
import { manualClock } from '../../support/clock.ts';
import { stubborn } from '../../support/fake-launcher.ts';
import { aService, aTask } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const HOUR = 3_600_000;
const runs = [
  aService('crashes'),
  aService('slow', { ready: { kind: 'fd', fd: 3 }, startTimeout: 20_000 }),
  aService('stubborn'),
  aTask('task', { retries: 3 }),
];

/** Fifteen minutes of a life full of timers; `jumps` move the wall clock after each step, and nothing else. */
function live(jumps: readonly number[]) {
  const clock = manualClock();
  let jump = 0;
  const world = servicesWithFakes(runs, {
    clock: { mono: clock.mono, now: () => clock.now() + jump, after: clock.after },
  });
  const history: string[] = [];
  world.launcher.obey('stubborn', stubborn);
  world.services.startAll();
  world.services.stop(['stubborn']);
  for (let step = 0; step < 90; step += 1) {
    world.launcher.living('crashes')[0]?.exit(1);
    world.launcher.living('task')[0]?.exit(1);
    jump += jumps[step % Math.max(1, jumps.length)] ?? 0;
    clock.advance(10_000);
    history.push(JSON.stringify([world.words(), world.launcher.launches]));
  }
  return { history, told: world.told, statuses: world.services.statuses() };
}

test('law 15: whatever the wall clock does, waits are as long as they are: backoff, ladder, time limit, slow retry', () => {
  const still = live([]);
  expect(still.history.at(-1)).toContain('crashes@7');
  fc.assert(
    fc.property(fc.array(fc.constantFrom(-HOUR, 0, HOUR, -24 * HOUR), { maxLength: 90 }), (jumps) => {
      const jumped = live(jumps);
      expect(jumped.history).toEqual(still.history);
      expect(jumped.told).toEqual(still.told);
    }),
    { numRuns: 30 },
  );
});

test('law 15: durations people are told stay right across a jump', () => {
  const still = live([]);
  const jumped = live([HOUR]);
  expect(jumped.statuses.map(({ startedIn, reason, restarts }) => ({ startedIn, reason, restarts }))).toEqual(
    still.statuses.map(({ startedIn, reason, restarts }) => ({ startedIn, reason, restarts })),
  );
});
