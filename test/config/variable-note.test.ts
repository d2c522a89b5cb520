import { expect, test } from 'vitest';
import { readPlan } from '../../src/config/read-plan.ts';

const PLAN =
  'version: 1\nservices: { app: { command: [sh], healthcheck: { http: "http://127.0.0.1:${PORT:-3000}/" } } }';

function read(env: Readonly<Record<string, string>>) {
  return readPlan({
    flags: { config: '/plan.yaml', tier: undefined, data: undefined },
    env,
    readFile: (path) => (path === '/plan.yaml' ? PLAN : undefined),
    root: true,
    cwd: '/',
    runDir: '/run',
  });
}

test('a wrong value that came from a variable is told with the variable', () => {
  expect(read({ PORT: 'abc' }).problems).toMatchObject([
    { code: 'wrong-value', note: 'it holds PORT=abc from the environment' },
  ]);
  expect(read({}).problems).toBeUndefined();
});
