import { expect, test } from 'vitest';
import { describeCheck } from '../../src/config/check-plan.ts';
import { readText } from './reading.ts';

const check = (text: string, env: Record<string, string> = {}) =>
  describeCheck(readText(text, { env }), { color: false });

test('a good plan is told in a few lines, with the default that is not the one of Compose', () => {
  const text =
    'version: 1\ndatabase:\nservices: { a: { command: x }, b: { command: x, restart: always }, c: { command: x } }\n';
  expect(check(text, { BULKHEAD_DISABLE: 'c' })).toBe(`/plan.yaml: tier core is well
services: database, a, b
tasks:    cluster, setup
off:      c, switched off by BULKHEAD_DISABLE
note: restart is always where nothing is said (in Compose it is no): a
`);
});

test('warnings come first and are counted', () => {
  const told = check('version: 1\nservices: { a: { command: x, restart: "no", labels: {} } }\n');
  expect(told).toContain('warning[idle-word]');
  expect(told).toContain('tier core is well, with 1 warning\n');
});

test('a broken plan is told by its problems alone', () => {
  const told = check('version: 1\nservices: { a: { comand: x } }\n');
  expect(told).toContain('did you mean "command"?');
  expect(told).not.toContain('is well');
});
