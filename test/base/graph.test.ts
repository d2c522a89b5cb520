import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCycles } from '../../src/base/graph.ts';

test('a cycle is told as the path that closes it', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['a']],
    ['d', ['a']],
  ]);
  expect(findCycles(graph)).toEqual([['a', 'b', 'c', 'a']]);
});

test('a node that needs itself is a cycle', () => {
  expect(findCycles(new Map([['a', ['a']]]))).toEqual([['a', 'a']]);
});

test('diamonds and unknown names are no cycles', () => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['b', ['d']],
    ['c', ['d', 'nobody']],
    ['d', []],
  ]);
  expect(findCycles(graph)).toEqual([]);
});

test('edges that only point to later nodes never make a cycle, one that points back always does', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 30 }), (pairs) => {
      const graph = new Map<string, string[]>(Array.from({ length: 10 }, (_, index) => [String(index), []]));
      for (const [a, b] of pairs) if (a < b) graph.get(String(a))?.push(String(b));
      expect(findCycles(graph)).toEqual([]);
      graph.get('0')?.push('9');
      graph.get('9')?.push('0');
      expect(findCycles(graph).length).toBeGreaterThan(0);
    }),
  );
});
