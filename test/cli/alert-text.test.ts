import { expect, test } from 'vitest';
import { nobodyIsTold } from '../../src/cli/alert-text.ts';

test('a plan without sinks is not one whose sinks are off', () => {
  expect(nobodyIsTold()).toBe('nobody is told: the plan has no sinks');
  expect(nobodyIsTold(['ops', 'chat'])).toBe(
    'nobody is told: every sink of the plan is off, for its url is empty: ops, chat',
  );
});
