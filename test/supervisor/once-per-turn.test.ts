import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { oncePerTurn } from '../../src/supervisor/once-per-turn.ts';

test('many calls in one turn of the loop run once, at its end; the next turn runs again', async () => {
  let runs = 0;
  const call = oncePerTurn(() => {
    runs += 1;
  });
  call();
  call();
  expect(runs).toBe(0);
  await turn();
  expect(runs).toBe(1);
  call();
  await turn();
  expect(runs).toBe(2);
});

test('a call from within the run is the next turn’s', async () => {
  let runs = 0;
  const call = oncePerTurn(() => {
    runs += 1;
    if (runs === 1) call();
  });
  call();
  await turn();
  await turn();
  expect(runs).toBe(2);
});
