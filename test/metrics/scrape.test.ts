import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expose } from '../../src/metrics/exposition.ts';
import { Samples } from '../../src/metrics/samples.ts';
import { createScrape, type Sources } from '../../src/metrics/scrape.ts';
import { METRICS } from '../../src/metrics/table.ts';
import { JOB_BUCKETS, type JobsStatus } from '../../src/protocol/jobs.ts';
import type { Measures, MetricsAnswer } from '../../src/protocol/metrics.ts';
import { readExposition } from '../support/exposition.ts';
import { exampleProduct, exampleSelf } from '../support/product.ts';

const answer: MetricsAnswer = {
  schemaVersion: 1,
  product: {
    ...exampleProduct(),
    supervisor: exampleSelf,
    schedules: [
      {
        name: 'nightly',
        status: 'idle',
        reason: '0 2 * * *',
        nextRun: '2026-01-02T02:00:00.000Z',
        runningSince: undefined,
        lastRun: { startedAt: '2026-01-01T02:00:00Z', endedAt: '2026-01-01T02:01:00Z', ok: true, reason: '' },
        lastSuccess: '2026-01-01T02:01:00Z',
        missed: 3,
      },
    ],
  },
  ready: true,
  runs: {
    app: {
      exits: { exit: 2, oom: 1 },
      startedAt: 1_700_000_000_000,
      checks: { passed: 3, failed: 1, counts: [1, 1, 0, 0, 0, 0, 0, 0, 0, 1], sum: 3010 },
      cpuSeconds: 12.5,
      load: { residentBytes: 100, openFiles: undefined, threads: 11, processes: 2 },
    },
  },
  logs: { app: { written: 7, dropped: 0, queued: 0, failures: 0, hidden: 0, heldSeconds: 0 } },
  reaped: 4,
  cpuSeconds: 1.5,
};
const counts = { created: 1, retry: 0, active: 1, completed: 2, cancelled: 0, failed: 1 };
const jobsStatus: JobsStatus = {
  counts,
  byType: {
    scrape: {
      counts,
      active: 1,
      concurrency: 3,
      paused: false,
      oldestQueuedAgeMs: 1500,
      tally: {
        finished: { completed: 2, failed: 1 },
        failed: { timeout: 3 },
        durations: [...JOB_BUCKETS.map(() => 1), 0],
        seconds: 99,
        sums: { assets: 4, apiCalls: 2, durationMs: 3100 },
      },
    },
  },
  store: { kind: 'postgres', durability: 'durable', since: '2026-01-01T00:00:00Z' },
  paused: false,
  workers: [],
};

const measured: Measures = {
  database: {
    size: 8e6,
    sessions: { active: 1, idle: 4, in_transaction: 0, other: 0 },
    mostSessions: 100,
    waitingForLocks: 0,
    longestTransaction: 0.5,
    blocksHit: 900,
    blocksRead: 100,
    commits: 50,
    rollbacks: 1,
    deadlocks: 0,
    temporaryBytes: 0,
    archive: { archived: 3, failed: 0, lastAt: undefined },
  },
  backups: [
    { kind: 'dump', verified: 2, unverified: 1, newest: { at: 1_767_232_860, size: 4096 } },
    { kind: 'base', verified: 0, unverified: 0, newest: undefined },
  ],
};
const PROMTOOL = process.env.PROMTOOL ?? '/usr/bin/promtool';

let time = 0;
const scrapeOf = (sources: Partial<Sources>) =>
  createScrape({
    sources: {
      supervisor: async () => answer,
      jobs: async () => jobsStatus,
      measures: async () => measured,
      app: undefined,
      alerts: () => ({
        alerts: [{ rule: 'DiskSpace', state: 'firing', count: 1 }],
        sinks: [{ name: 'ops', sent: 3, failed: 2 }],
      }),
      ...sources,
    },
    dataDir: '/tmp',
    now: () => time,
  });
const seriesOf = async (sources: Partial<Sources> = {}) => {
  const { text } = await scrapeOf(sources)(undefined);
  return new Map([...readExposition(text)].flatMap(([, { series }]) => [...series]));
};

describe('a scrape', () => {
  test('tells what PID 1 and the worker count', async () => {
    const series = await seriesOf();
    const told = (key: string) => [key, series.get(key)];
    expect(
      [
        'bulkhead_up',
        'bulkhead_ready',
        'bulkhead_service_state{service="app",state="ready"}',
        'bulkhead_service_state{service="app",state="failed"}',
        'bulkhead_service_exits_total{service="app",reason="oom"}',
        'bulkhead_service_cpu_seconds_total{service="app"}',
        'bulkhead_check_duration_seconds_bucket{service="app",le="0.01"}',
        'bulkhead_check_duration_seconds_sum{service="app"}',
        'bulkhead_schedule_missed_total{schedule="nightly"}',
        'bulkhead_schedule_last_success_timestamp_seconds{schedule="nightly"}',
        'bulkhead_jobs{queue="scrape",state="created"}',
        'bulkhead_jobs_oldest_queued_age_seconds{queue="scrape"}',
        'bulkhead_job_duration_seconds_count{type="scrape"}',
        'bulkhead_job_result_total{type="scrape",field="assets"}',
        'bulkhead_job_result_total{type="scrape",field="apiCalls"}',
        'bulkhead_job_result_total{type="scrape",field="durationMs"}',
        'bulkhead_schedule_failed{schedule="nightly"}',
        'bulkhead_alerts{alertname="DiskSpace",state="firing"}',
        'bulkhead_notifications_total{sink="ops",result="failed"}',
        'bulkhead_log_lines_total{service="app"}',
      ].map(told),
    ).toMatchInlineSnapshot(`
      [
        [
          "bulkhead_up",
          1,
        ],
        [
          "bulkhead_ready",
          1,
        ],
        [
          "bulkhead_service_state{service="app",state="ready"}",
          1,
        ],
        [
          "bulkhead_service_state{service="app",state="failed"}",
          0,
        ],
        [
          "bulkhead_service_exits_total{service="app",reason="oom"}",
          1,
        ],
        [
          "bulkhead_service_cpu_seconds_total{service="app"}",
          12.5,
        ],
        [
          "bulkhead_check_duration_seconds_bucket{service="app",le="0.01"}",
          2,
        ],
        [
          "bulkhead_check_duration_seconds_sum{service="app"}",
          3.01,
        ],
        [
          "bulkhead_schedule_missed_total{schedule="nightly"}",
          3,
        ],
        [
          "bulkhead_schedule_last_success_timestamp_seconds{schedule="nightly"}",
          1767232860,
        ],
        [
          "bulkhead_jobs{queue="scrape",state="created"}",
          1,
        ],
        [
          "bulkhead_jobs_oldest_queued_age_seconds{queue="scrape"}",
          1.5,
        ],
        [
          "bulkhead_job_duration_seconds_count{type="scrape"}",
          12,
        ],
        [
          "bulkhead_job_result_total{type="scrape",field="assets"}",
          4,
        ],
        [
          "bulkhead_job_result_total{type="scrape",field="apiCalls"}",
          2,
        ],
        [
          "bulkhead_job_result_total{type="scrape",field="durationMs"}",
          3100,
        ],
        [
          "bulkhead_schedule_failed{schedule="nightly"}",
          0,
        ],
        [
          "bulkhead_alerts{alertname="DiskSpace",state="firing"}",
          1,
        ],
        [
          "bulkhead_notifications_total{sink="ops",result="failed"}",
          2,
        ],
        [
          "bulkhead_log_lines_total{service="app"}",
          7,
        ],
      ]
    `);
    expect(series.has('bulkhead_service_open_fds{service="app"}')).toBe(false);
    expect(series.get('bulkhead_disk_size_bytes{part="data"}')).toBeGreaterThan(0);
  });

  test.each([
    ['text/plain', 'text/plain; version=0.0.4; charset=utf-8'],
    [undefined, 'text/plain; version=0.0.4; charset=utf-8'],
    ['application/openmetrics-text;q=0, text/plain', 'text/plain; version=0.0.4; charset=utf-8'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ],
  ])('for %s is %s, and can be read', async (accept, type) => {
    const scraped = await scrapeOf({})(accept);
    expect(scraped.type).toBe(type);
    expect(readExposition(scraped.text, type.includes('openmetrics')).size).toBeGreaterThan(40);
  });

  test('is answered without whoever is away, and says who', async () => {
    const series = await seriesOf({
      supervisor: () => Promise.reject(new Error('gone')),
      jobs: () => Promise.reject(new Error('gone')),
    });
    expect(series.get('bulkhead_up')).toBe(0);
    expect(series.get('bulkhead_source_up{source="jobs"}')).toBe(0);
    expect(series.has('bulkhead_ready')).toBe(false);
  });

  test('asks nobody again within its time', async () => {
    const asked = { supervisor: 0, jobs: 0 };
    const scrape = scrapeOf({
      supervisor: async () => {
        asked.supervisor += 1;
        return answer;
      },
      jobs: async () => {
        asked.jobs += 1;
        return jobsStatus;
      },
    });
    for (const at of [0, 900, 1100, 5100]) {
      time = at;
      await scrape(undefined);
    }
    time = 0;
    expect(asked).toEqual({ supervisor: 3, jobs: 2 });
  });
});

describe('the database and the backups', () => {
  const notYet: MetricsAnswer = {
    ...answer,
    product: {
      ...answer.product,
      services: answer.product.services.map((each) =>
        each.name === 'setup' ? { ...each, status: 'starting' } : each,
      ),
    },
  };

  test('are asked for beside the scrape, and not by each of two in a moment', async () => {
    let asked = 0;
    const scrape = scrapeOf({
      measures: async () => {
        asked += 1;
        return measured;
      },
    });
    for (const at of [0, 1000, 4900]) {
      time = at;
      await scrape(undefined);
    }
    expect(asked).toBe(1);
    time = 5000;
    const series = readExposition((await scrape(undefined)).text);
    time = 0;
    expect(asked).toBe(2);
    const told = (name: string, labels = '') => series.get(name)?.series.get(name + labels);
    expect(told('bulkhead_database_up')).toBe(1);
    expect(told('bulkhead_database_connections', '{state="idle"}')).toBe(4);
    expect(told('bulkhead_database_blocks_total', '{from="cache"}')).toBe(900);
    expect(told('bulkhead_wal_archived_total')).toBe(3);
    expect(series.has('bulkhead_wal_archive_last_success_timestamp_seconds')).toBe(false);
    const success = series.get('bulkhead_backup_last_success_timestamp_seconds')?.series;
    expect([...(success ?? [])]).toEqual([
      ['bulkhead_backup_last_success_timestamp_seconds{kind="dump"}', 1_767_232_860],
    ]);
  });

  test('are left alone before the database is set up', async () => {
    const series = await seriesOf({ supervisor: async () => notYet });
    expect(series.has('bulkhead_source_up{source="measures"}')).toBe(false);
  });
});

describe('the table', () => {
  test('names by the conventions', () => {
    for (const [name, { type, help, labels }] of Object.entries(METRICS)) {
      expect(name).toMatch(/^(bulkhead|process|nodejs)_[a-z0-9]+(_[a-z0-9]+)*$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(name, name).not.toMatch(/_(milliseconds|ms|kb|mb|minutes|percent|count|sum|bucket|info_total)$/);
      expect(help, name).toMatch(/^[A-Z0-9m].*[^.]$/);
      for (const label of labels ?? []) {
        expect(label).toMatch(/^[a-z]+$/);
        expect(['id', 'pid', 'url', 'job', 'instance', 'le']).not.toContain(label);
      }
    }
  });

  test('has every label that is given, and no other', async () => {
    const { text } = await scrapeOf({})(undefined);
    for (const [name, { series }] of readExposition(text)) {
      for (const key of series.keys()) {
        const labels = [...key.matchAll(/(\w+)="/g)]
          .map(([, label]) => label)
          .filter((label) => label !== 'le');
        expect(labels, key).toEqual(METRICS[name as keyof typeof METRICS].labels);
      }
    }
  });
});

test('whatever a label says, the exposition can be read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary' })), fc.double(), async (names, value) => {
      const samples = new Samples();
      for (const service of names) samples.add('bulkhead_service_threads', value, { service });
      samples.add('bulkhead_up', 1);
      for (const accept of [undefined, 'application/openmetrics-text']) {
        const { text } = await expose(samples, accept);
        const told = readExposition(text, accept !== undefined).get('bulkhead_service_threads');
        expect(told?.series.size ?? 0).toBe(Number.isFinite(value) ? new Set(names).size : 0);
      }
    }),
    { numRuns: 100 },
  );
});

test.runIf(existsSync(PROMTOOL))("pleases Prometheus' own linter", async () => {
  const { text } = await scrapeOf({})(undefined);
  expect(execFileSync(PROMTOOL, ['check', 'metrics'], { input: text, encoding: 'utf8' })).toBe('');
});
