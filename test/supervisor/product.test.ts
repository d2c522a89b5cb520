import { expect, test } from 'vitest';
import type { JobsSummary } from '../../src/protocol/jobs.ts';
import type { ScheduleStatus } from '../../src/protocol/schedules.ts';
import { openHealthView } from '../../src/supervisor/health/health-view.ts';
import { describeProduct, type ProductFacts } from '../../src/supervisor/product.ts';
import { planOf, readText } from '../config/reading.ts';
import { serviceStatus } from '../support/statuses.ts';

const PLAN = planOf(readText('version: 1\ndatabase: { name: shop }\njobs: { scrape: { command: [x] } }\n'));

const AWAY: JobsSummary = {
  counts: { created: 4, retry: 0, active: 1, completed: 0, cancelled: 0, failed: 0 },
  paused: false,
  store: {
    kind: 'memory',
    durability: 'journaled',
    since: '2026-01-01T10:42:00.000Z',
    reason: 'cannot reach PostgreSQL',
  },
};
const GOOD: JobsSummary = {
  ...AWAY,
  store: { kind: 'postgres', durability: 'durable', since: AWAY.store.since },
};

function product(facts: Partial<ProductFacts>) {
  return describeProduct(PLAN, {
    version: '1',
    pid: 1,
    since: 0,
    phase: 'running',
    services: [serviceStatus('app')],
    schedules: [],
    notes: [],
    jobs: undefined,
    ...facts,
  });
}

function failed(name: string): ScheduleStatus {
  const lastRun = { startedAt: '', endedAt: '', ok: false, reason: 'exit 1' };
  return { name, status: 'idle', reason: '', nextRun: undefined, runningSince: undefined, lastRun };
}

test('of schedules that failed one is named and the others are counted', () => {
  expect(product({ schedules: [failed('a')] }).reason).toBe(
    'degraded: schedule a failed when it last ran: exit 1',
  );
  expect(product({ schedules: [failed('a'), failed('b'), failed('c')] })).toMatchObject({
    overall: 'warn',
    reason: 'degraded: schedule a failed when it last ran: exit 1 (and 2 more)',
  });
});

test('jobs that are kept less safely than the plan asks for are a warning, in status and in health', () => {
  const warned = product({ jobs: AWAY });
  expect(warned).toMatchObject({
    overall: 'warn',
    reason: 'degraded: jobs are kept in memory and a journal since 10:42 UTC: cannot reach PostgreSQL',
  });
  const view = openHealthView({ product: () => warned, fault: () => undefined });
  expect(view.ready().ok).toBe(true);
  expect(view.report(true).checks?.['jobs:durability']).toMatchObject([
    { status: 'warn', observedValue: 'journaled', output: expect.stringContaining('cannot reach') },
  ]);
  expect(view.service('jobs', false)?.status).toBe('warn');
});

test('jobs in the store of the plan are well, and the API has an address', () => {
  const well = product({ jobs: GOOD });
  expect(well.overall).toBe('pass');
  expect(well.jobs?.verdict).toBe('pass');
  expect(well.addresses).toContainEqual({ what: 'api', url: 'http://localhost:9701/' });
});

test('a schedule that failed hides no alert, and no alert the queue', () => {
  const alert = 'alert DiskSpace: the disk of the volume is nearly full';
  expect(product({ alert, schedules: [failed('health-check')], jobs: AWAY })).toMatchObject({
    overall: 'warn',
    reason: `degraded: ${alert}; schedule health-check failed when it last ran: exit 1; jobs are kept in memory and a journal since 10:42 UTC: cannot reach PostgreSQL`,
  });
});

test('an alert that fires is a warning where nothing else is wrong, and gives way to what is', () => {
  const alert = 'alert DiskSpace: the disk of the volume is nearly full';
  expect(product({ alert })).toMatchObject({ overall: 'warn', reason: `degraded: ${alert}` });
  const worse = product({ alert, services: [serviceStatus('app', { status: 'backoff', critical: true })] });
  expect([worse.overall, worse.reason]).toEqual(['fail', expect.not.stringContaining('alert')]);
});
