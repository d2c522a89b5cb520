import { expect, test } from 'vitest';
import { whenMade } from '../../src/backups/made-at.ts';

/** Days, in the order in which they were made; now is the last. */
function days(...all: readonly number[]): readonly number[] {
  const [now = 0, ...lastFirst] = [...all].reverse();
  const times = whenMade(
    lastFirst.map((time) => ({ time })),
    now,
    1,
  );
  return [...times].reverse();
}

test('where no clock was wrong, backups are of when they say, silences and all', () => {
  expect(days(1, 2, 3, 40, 41, 41)).toEqual([1, 2, 3, 40, 41]);
  expect(days(5)).toEqual([]);
});

test('a clock that was ahead, or behind, is not believed: what it dated lies between its neighbours', () => {
  expect(days(1, 2, 403, 404, 5, 6, 7, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(days(1, 2, 3, -396, -395, 6, 7, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('one that was ahead from the beginning tells at least how far apart they are', () => {
  expect(days(401, 402, 409, 10, 11, 11)).toEqual([1, 2, 9, 10, 11]);
  expect(days(401, 402, 3)).toEqual([1, 2]);
});
