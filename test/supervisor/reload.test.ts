import { expect, test } from 'vitest';
import { type PlanRequest, readPlan } from '../../src/config/read-plan.ts';
import { planReload } from '../../src/supervisor/reload.ts';
import { changesBetween } from '../../src/supervisor/services/reload.ts';

const CORE = `
version: 1
database: { name: tools, user: tools }
services:
  app: { command: [sleep, '1000'], environment: { COLOUR: green } }
`;

function reload(from: string, to: string): ReturnType<typeof planReload> {
  const request = (text: string): PlanRequest => ({
    flags: { config: '/plan.yaml' },
    env: {},
    readFile: (path) => (path === '/plan.yaml' ? text : undefined),
    root: false,
    runDir: '/run/bulkhead',
  });
  const { plan } = readPlan(request(from));
  if (!plan) throw new Error('the plan of the test has problems');
  return planReload(plan, request(to), (runs) => changesBetween(plan.runs, runs));
}

test('settings of the server restart the database, and only it', () => {
  const next = reload(CORE, CORE.replace('user: tools', 'user: tools, settings: { work_mem: 7MB }'));
  expect(next.restarts).toEqual(['database']);
  expect(next.changes).toEqual([
    { service: 'database', action: 'restart', reason: 'database.settings.work_mem' },
  ]);
});

test('what the process need not notice is announced as an update, in the words of the plan', () => {
  const next = reload(CORE, CORE.replace('environment:', 'critical: false, environment:'));
  expect(next.changes).toEqual([{ service: 'app', action: 'update', reason: 'critical' }]);
  expect(next.restarts).toEqual([]);
});

test('what the process must notice restarts it', () => {
  const { changes } = reload(CORE, CORE.replace('green', 'blue'));
  expect(changes).toEqual([{ service: 'app', action: 'restart', reason: 'environment.COLOUR' }]);
});

test('how long logs are kept counts at once; whether they are is settled at boot', () => {
  const next = reload(CORE, `${CORE}logs: { keep_days: 7 }\n`);
  expect(next.changes).toEqual([{ service: 'logs', action: 'update', reason: 'logs.keep_days' }]);
  expect(() => reload(CORE, `${CORE}logs: { files: false }\n`)).toThrow(/logs\.files cannot change/);
});

test('what only a new boot can change is refused by name', () => {
  expect(() => reload(CORE, `name: other\n${CORE}`)).toThrow(/name cannot change while running/);
});

const JOBS = `${CORE}jobs: { scrape: { command: [scrape] } }\n`;

test('a changed type of job restarts the worker, which goes by it, and the API, which shows it', () => {
  const next = reload(JOBS, JOBS.replace('[scrape]', '[scrape], concurrency: 3'));
  expect(next.restarts).toEqual(['worker', 'api']);
  expect(next.changes).toEqual([
    { service: 'worker', action: 'restart', reason: 'queue.concurrency, jobs.scrape.concurrency' },
    { service: 'api', action: 'restart', reason: 'queue.concurrency, jobs.scrape.concurrency' },
  ]);
});

test('the first type of job starts them, and the last one that goes stops them', () => {
  const both = ['worker', 'api'];
  expect(reload(CORE, JOBS).changes.map(({ service, action }) => [service, action])).toEqual(
    both.map((service) => [service, 'start']),
  );
  const gone = reload(JOBS, CORE);
  expect(gone.restarts).toEqual([]);
  expect(gone.changes.map(({ service, action }) => [service, action])).toEqual(
    both.map((service) => [service, 'stop']),
  );
});
