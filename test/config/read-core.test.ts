import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPlan } from '../../src/config/read-plan.ts';

const folder = join(import.meta.dirname, '../../config');

function readShipped(env: Record<string, string> = {}) {
  return readPlan({
    flags: {},
    env,
    root: true,
    runDir: '/run/bulkhead',
    defaultConfig: folder,
    readFile(path) {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
  });
}

const CORE = ['cluster', 'database', 'setup', 'migrate', 'app'];

describe('the shipped tiers', () => {
  test.each(['core', 'scraper', 'full'])('%s reads without a warning', (tier) => {
    const { plan, warnings, problems } = readShipped({ BULKHEAD_TIER: tier });
    expect(problems).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(plan?.tier).toBe(tier);
    const jobs = tier === 'core' ? [] : ['worker', 'api'];
    expect(plan?.runs.map(({ name }) => name)).toEqual([...CORE, ...jobs]);
  });

  test('scraper gives scrapes their limits, and what is empty is unset', () => {
    const empty = { MAX_SCRAPER_CONCURRENT: '', WORKER_CONCURRENCY: '', SCRAPER_SCHEDULE: '', REDIS_URL: '' };
    const { plan } = readShipped({ BULKHEAD_TIER: 'scraper', JOB_TIMEOUT: '60', ...empty });
    expect(plan?.jobs).toMatchObject({
      store: 'postgres',
      types: [
        { name: 'scrape', timeout: 60_000, singleton: 'tool' },
        { name: 'scrape-all' },
        { name: 'backup' },
      ],
    });
    expect(plan?.attempts[0]).toMatchObject({ nice: 10, memoryLimit: 768 * 1024 * 1024, user: 'scraper' });
    expect(plan?.schedules).toMatchObject([{ name: 'auto-scrape', off: 'no cron expression' }]);
    const on = readShipped({
      BULKHEAD_TIER: 'scraper',
      SCRAPER_SCHEDULE: '0 3 * * *',
      WORKER_CONCURRENCY: '0',
    });
    expect(on.plan).toMatchObject({
      jobs: { concurrency: 0 },
      schedules: [{ cron: '0 3 * * *', off: undefined, job: { type: 'scrape-all' } }],
    });
  });

  test('full looks after itself by schedules that two variables switch', () => {
    const schedules = (env: Record<string, string> = {}) =>
      Object.fromEntries(
        (readShipped({ BULKHEAD_TIER: 'full', ...env }).plan?.schedules ?? []).map((each) => [
          each.name,
          each.off ?? (each.every === undefined ? each.cron : each.every),
        ]),
      );
    const backups = {
      'backup-daily': '0 2 * * *',
      'backup-base': '0 4 * * 0',
      'backup-assets': '0 5 * * 6',
      'backup-config': '30 5 * * 6',
      'verify-backups': '0 4 * * 6',
      'restore-drill': '0 4 * * 3',
    };
    expect(schedules()).toEqual({
      'auto-scrape': 'no cron expression',
      ...backups,
      'clean-assets': '0 7 * * 6',
      'health-check': 300_000,
    });
    const off = Object.fromEntries(Object.keys(backups).map((name) => [name, 'enabled is false']));
    expect(schedules({ ENABLE_AUTO_BACKUP: 'false' })).toMatchObject({ ...off, 'health-check': 300_000 });
    const unwatched = schedules({ ENABLE_MONITORING: 'false', HEALTH_CHECK_INTERVAL: '60' });
    expect(unwatched).toMatchObject({ ...backups, 'health-check': 'enabled is false' });
    expect(schedules({ HEALTH_CHECK_INTERVAL: '60' })).toMatchObject({ 'health-check': 60_000 });
    expect(schedules({ DATABASE_URL: 'postgresql://u:p@db.example.com/d' })).toMatchObject({
      'backup-daily': '0 2 * * *',
      'backup-base': 'the database is elsewhere: DATABASE_URL',
    });
  });

  test('core starts the app only after the import and the migration', () => {
    const app = readShipped().plan?.runs.find(({ name }) => name === 'app');
    expect(app?.dependsOn).toEqual({
      database: { condition: 'service_healthy', required: true },
      setup: { condition: 'service_completed_successfully', required: true },
      migrate: { condition: 'service_completed_successfully', required: true },
    });
    expect(app?.critical).toBe(true);
  });

  test('core leaves late values as holes and drops variables nobody set', () => {
    const app = readShipped({ PORT: '8080' }).plan?.runs.find(({ name }) => name === 'app');
    expect(app?.environment).toEqual({
      HOSTNAME: '0.0.0.0',
      PORT: '8080',
      NODE_ENV: 'production',
      DATABASE_URL: { parts: [{ late: 'DATABASE_URL' }] },
      NEXTAUTH_SECRET: { parts: [{ late: 'NEXTAUTH_SECRET' }] },
      NEXTAUTH_URL: 'http://localhost:8080',
      NEXT_TELEMETRY_DISABLED: '1',
      ASSETS_DIR: '/data/assets',
    });
  });
});
