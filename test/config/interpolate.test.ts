import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpolate, type Lookup } from '../../src/config/interpolate.ts';

const values: Record<string, string> = { SET: 'value', EMPTY: '', OTHER: 'other', _x1: 'odd' };

function lookup(name: string): Lookup {
  if (name === 'LATE') return { kind: 'late', late: 'DATABASE_URL' };
  const value = values[name];
  return value === undefined ? { kind: 'unset' } : { kind: 'set', value, from: 'environment' };
}

function fill(text: string) {
  return interpolate(text, lookup);
}

describe('variables are filled in by the rules of Compose', () => {
  test.each([
    ['nothing to do', 'nothing to do'],
    ['$SET', 'value'],
    ['${SET}', 'value'],
    ['a${SET}b$OTHER.', 'avaluebother.'],
    ['$_x1', 'odd'],
    ['${SET:-default}', 'value'],
    ['${SET-default}', 'value'],
    ['${EMPTY:-default}', 'default'],
    ['${EMPTY-default}', ''],
    ['${NONE:-default}', 'default'],
    ['${NONE-default}', 'default'],
    ['${NONE:-}', ''],
    ['${NONE-}', ''],
    ['${SET:?message}', 'value'],
    ['${EMPTY?message}', ''],
    ['${SET:+word}', 'word'],
    ['${SET+word}', 'word'],
    ['${EMPTY:+word}', ''],
    ['${EMPTY+word}', 'word'],
    ['${NONE:+word}', ''],
    ['${NONE+word}', ''],
    ['${NONE:-${OTHER}}', 'other'],
    ['${NONE:-${NONE2:-deep}}', 'deep'],
    ['${NONE:-a${SET}b${OTHER}c}', 'avaluebotherc'],
    ['${SET:+${OTHER}}', 'other'],
    ['${NONE:-http://localhost:${PORT:-3000}}', 'http://localhost:3000'],
    ['${NONE:-a:-b}', 'a:-b'],
    ['${NONE:-$$5}', '$5'],
    ['$$', '$'],
    ['$$SET', '$SET'],
    ['$${SET}', '${SET}'],
    ['$$$SET', '$value'],
    ['$$$$', '$$'],
  ])('%s → %s', (text, wanted) => {
    const { text: filled, faults } = fill(text);
    expect(filled).toBe(wanted);
    expect(faults).toEqual([]);
  });
});

describe('what cannot be filled in is a fault at its place', () => {
  test.each([
    ['a ${NONE}', 'unset', 2, 9],
    ['$NONE', 'unset', 0, 5],
    ['${NONE:?say why}', 'required', 0, 16],
    ['${EMPTY:?}', 'required', 0, 10],
    ['x${NONE?}', 'required', 1, 9],
    ['${SET:+${NONE}}', 'unset', 7, 14],
    ['${A:-${NONE:?deep}}', 'required', 5, 18],
    ['costs 5$', 'invalid', 7, 8],
    ['$5', 'invalid', 0, 1],
    ['$(date)', 'invalid', 0, 1],
    ['${', 'invalid', 0, 2],
    ['a ${SET', 'invalid', 2, 7],
    ['${}', 'invalid', 0, 3],
    ['${1}', 'invalid', 0, 4],
    ['${SET/a/b}', 'invalid', 0, 10],
    ['${SET:0:3}', 'invalid', 0, 10],
    ['${#SET}', 'invalid', 0, 7],
  ])('%s', (text, kind, start, end) => {
    expect(fill(text).faults.map((fault) => [fault.kind, fault.start, fault.end])).toEqual([
      [kind, start, end],
    ]);
  });

  test('a required variable tells the message, filled in itself', () => {
    expect(fill('${NONE:?set ${SET} first}').faults[0]?.message).toBe('NONE is not set: set value first');
    expect(fill('${EMPTY:?}').faults[0]?.message).toBe('EMPTY is empty, and it is required here');
  });
});

test('a late value stays a hole, counts as set, and beats defaults', () => {
  const hole = { late: 'DATABASE_URL' };
  expect(fill('${LATE}').text).toEqual({ parts: [hole] });
  expect(fill('url=${LATE:-none}!').text).toEqual({ parts: ['url=', hole, '!'] });
  expect(fill('${LATE:+yes}').text).toBe('yes');
  expect(fill('${NONE:-${LATE}}').text).toEqual({ parts: [hole] });
});

test('escaped text survives, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', 'A', ' ', '?') }), (text) => {
      const { text: filled, faults } = fill(text.replaceAll('$', '$$$$'));
      expect(filled).toBe(text);
      expect(faults).toEqual([]);
    }),
  );
});

test('no text makes it throw, and every fault lies inside the text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', '+', '?', 'SET', 'NONE', 'LATE', ' ') }),
      (text) => {
        for (const { start, end } of fill(text).faults) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});
