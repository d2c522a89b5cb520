import { expect, test } from 'vitest';
import { ASKED, endedBy, exitCodeOf, MISTAKEN, servicesShare } from '../../src/supervisor/ending.ts';

test('the services leave time for the last answers and lines, also of a short stop timeout', () => {
  expect(servicesShare(9000)).toBe(8250);
  expect(servicesShare(1000)).toBe(750);
});

test('the first cause wins, and having had to kill replaces only a clean end', () => {
  expect(exitCodeOf(ASKED, [])).toBe(0);
  expect(exitCodeOf(ASKED, ['app'])).toBe(14);
  expect(exitCodeOf(MISTAKEN, ['app'])).toBe(70);
  const ended = endedBy({ cause: 'taskFailed', service: 'migrate', reason: 'exit 1' });
  expect(ended.reason).toBe('migrate: exit 1');
  expect(exitCodeOf(ended, ['app'])).toBe(12);
});
