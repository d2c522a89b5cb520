import { expect, test } from 'vitest';
import { formatDuration } from '../../src/base/duration.ts';

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [3240, '3.2 s'],
  [59_400, '59 s'],
  [125_000, '2 min 5 s'],
  [11_520_000, '3 h 12 min'],
])('%d ms is said as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
