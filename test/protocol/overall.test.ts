import { expect, test } from 'vitest';
import { overallOf } from '../../src/protocol/overall.ts';
import type { ServiceStatus } from '../../src/protocol/status.ts';

function status(name: string, changes: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name,
    kind: 'service',
    status: 'ready',
    reason: '',
    since: '2026-01-01T00:00:00.000Z',
    generation: 1,
    pid: 7,
    critical: false,
    restarts: 0,
    nextStart: undefined,
    startedIn: 100,
    lastExit: undefined,
    lastLine: undefined,
    check: undefined,
    progress: undefined,
    ...changes,
  };
}

const check = {
  up: undefined,
  failures: 0,
  threshold: 3,
  lastError: undefined,
  durationMs: undefined,
  at: undefined,
};
const database = status('database', { critical: true });

test('everything ready, done or disabled passes', () => {
  const services = [
    database,
    status('setup', { kind: 'task', status: 'done' }),
    status('app'),
    status('x', { status: 'disabled' }),
  ];
  expect(overallOf(services, 'running')).toEqual({ overall: 'pass', reason: 'all 2 services are ready' });
});

test('a critical service in backoff fails, with the reason and its last words', () => {
  const app = status('app', {
    critical: true,
    status: 'backoff',
    restarts: 3,
    reason: 'crashed 3 times in 2 min (exit 1), next start in 8 s',
    lastLine: 'Error: no such table',
  });
  expect(overallOf([database, app], 'running')).toEqual({
    overall: 'fail',
    reason:
      'degraded: app crashed 3 times in 2 min (exit 1), next start in 8 s; last line: Error: no such table',
  });
});

test('an optional service that is down only warns', () => {
  const scraper = status('scraper', { status: 'failed', reason: 'crashed 6 times in 1 min (exit 1)' });
  expect(overallOf([database, scraper], 'running')).toEqual({
    overall: 'warn',
    reason: 'degraded: scraper failed for good: crashed 6 times in 1 min (exit 1)',
  });
});

test('one that a person stopped warns, or fails where it is critical', () => {
  const stopped = status('app', { status: 'stopped', reason: 'stopped by request', pid: undefined });
  expect(overallOf([database, stopped], 'running')).toEqual({
    overall: 'warn',
    reason: 'degraded: app is stopped by request',
  });
  expect(overallOf([{ ...stopped, critical: true }], 'running').overall).toBe('fail');
});

test('a boot fails until every critical run is there, and says what it is waiting for', () => {
  const app = status('app', { critical: true, status: 'starting', check });
  expect(overallOf([database, app], 'booting')).toEqual({
    overall: 'fail',
    reason: 'starting: waiting for app to be healthy',
  });
  const waiting = status('web', {
    critical: true,
    status: 'waiting',
    reason: 'waiting for app to be healthy',
  });
  expect(overallOf([waiting, app], 'booting').reason).toBe(
    'starting: waiting for app to be healthy (and 1 more)',
  );
});

test('a boot names how far an import has come', () => {
  const progress = { what: 'importing tools.sql.gz', percent: 43.7, detail: '7,210 rows' };
  const running = status('import', { kind: 'task', critical: true, status: 'starting', progress });
  expect(overallOf([database, running], 'booting').reason).toBe(
    'starting: waiting for import to finish (importing tools.sql.gz, 43 %, 7,210 rows)',
  );
});

test('an optional service that is still starting does not hold the product back', () => {
  const extra = status('extra', { status: 'starting' });
  expect(overallOf([database, extra], 'booting')).toEqual({
    overall: 'warn',
    reason: 'starting: waiting for extra to be ready',
  });
});

test('the loudest critical one is spoken of first', () => {
  const quiet = status('b', { critical: true, status: 'starting', restarts: 1 });
  const loud = status('c', { critical: true, status: 'failed', reason: 'exit 2' });
  const optional = status('a', { status: 'failed' });
  expect(overallOf([optional, quiet, loud], 'running').reason).toBe(
    'degraded: c failed for good: exit 2 (and 2 more)',
  );
});

test('a stop fails at once and names who is left', () => {
  const gone = status('app', { status: 'stopped', pid: undefined });
  expect(overallOf([database, gone], 'stopping')).toEqual({
    overall: 'fail',
    reason: 'stopping: waiting for database',
  });
});

test('without any service it passes and says so', () => {
  expect(overallOf([], 'running')).toEqual({ overall: 'pass', reason: 'nothing is running' });
});

test('a critical replica that is down is a warning while another one is ready, and a failure without', () => {
  const one = (number: number, changes: Partial<ServiceStatus>) =>
    status(`web-${number}`, { replicaOf: 'web', critical: true, ...changes });
  const down = one(2, { status: 'backoff', reason: 'crashed (exit 1), next start in 1 s' });
  expect(overallOf([one(1, {}), down], 'running')).toEqual({
    overall: 'warn',
    reason: 'degraded: web-2 crashed (exit 1), next start in 1 s',
  });
  expect(overallOf([one(1, { status: 'starting' }), down], 'running').overall).toBe('fail');
  const other = status('api-1', { replicaOf: 'api' });
  expect(overallOf([other, down], 'running').overall).toBe('fail');
});

test('a critical one without a replica that is ready speaks before one that has it', () => {
  const services = [
    status('web-1', { replicaOf: 'web', critical: true }),
    status('web-2', { replicaOf: 'web', critical: true, status: 'failed', reason: 'gone' }),
    status('db', { critical: true, status: 'starting' }),
  ];
  expect(overallOf(services, 'running')).toMatchObject({
    overall: 'fail',
    reason: expect.stringContaining('db'),
  });
});
