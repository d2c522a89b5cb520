import { expect, test } from 'vitest';
import { Seldom } from '../../src/base/seldom.ts';
import { manualClock } from '../support/clock.ts';

function open() {
  const clock = manualClock();
  const said: number[][] = [];
  const seldom = new Seldom<number>(clock, 1000, (all) => said.push([...all]));
  return { clock, said, seldom };
}

test('what comes often is said at once, then together each time; what comes seldom always at once', () => {
  const { clock, said, seldom } = open();
  for (let number = 1; number <= 25; number += 1) {
    seldom.add(number);
    clock.advance(100);
  }
  expect(said.map((all) => all.length)).toEqual([1, 9, 10]);
  clock.advance(1000);
  expect(said.flat()).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  clock.advance(1000);
  expect(clock.armed).toBe(0);
  seldom.add(26);
  expect(said.at(-1)).toEqual([26]);
});

test('at the end the rest is said, and no timer stays', () => {
  const { clock, said, seldom } = open();
  seldom.add();
  expect(clock.armed).toBe(0);
  seldom.add(1);
  seldom.add(2, 3);
  seldom.end();
  expect(said).toEqual([[1], [2, 3]]);
  expect(clock.armed).toBe(0);
  seldom.end();
  expect(said).toHaveLength(2);
});
