import { expect, test } from 'vitest';
import { readPlan } from '../../src/config/read-plan.ts';

function read(logs: string) {
  const text = `version: 1\nservices: { app: { command: [sleep, '1'] } }\n${logs}\n`;
  return readPlan({
    flags: { config: '/plan.yaml' },
    env: {},
    readFile: (path) => (path === '/plan.yaml' ? text : undefined),
    root: false,
    runDir: '/run/bulkhead',
  });
}

test('logs are kept for 30 days, in files of 100 MB, 2 GB of them, where nothing else is said', () => {
  expect(read('').plan?.logs).toEqual({
    files: true,
    keepDays: 30,
    maxFile: 104_857_600,
    maxTotal: 2_147_483_648,
  });
  expect(read('logs: { keep_days: 7, max_file: 1m, max_total: 10m, files: false }').plan?.logs).toEqual({
    files: false,
    keepDays: 7,
    maxFile: 1_048_576,
    maxTotal: 10_485_760,
  });
});

test('a small cap makes the files smaller, where nothing is said of them', () => {
  expect(read('logs: { max_total: 10m }').plan?.logs.maxFile).toBe(10_485_760);
});

test.each([
  ['logs: { max_file: 1k }', 'logs.max_file must be at least 64 KB'],
  ['logs: { max_file: 20m, max_total: 10m }', 'less than one file may have'],
  ['logs: { keep_days: 0 }', 'keep_days'],
  ['logs: { max-size: 10m }', 'max-size'],
])('%s is refused', (logs, problem) => {
  expect(
    read(logs)
      .problems?.map(({ message }) => message)
      .join(),
  ).toContain(problem);
});
