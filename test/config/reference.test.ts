import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RULE_NAMES } from '../../src/config/alert-rules.ts';
import { referencePage } from '../../src/config/reference.ts';
import { SHIPPED } from './reading.ts';

test('docs/plan.md is the page the tables make (npm run schema)', () => {
  expect(readFileSync(join(SHIPPED, '../docs/plan.md'), 'utf8')).toBe(referencePage());
});

test('it has a section for every map of words', () => {
  const titles = [...referencePage().matchAll(/^## `?([^`\n]+)`?$/gm)].map(([, title]) => title);
  expect(titles).toEqual([
    'The plan',
    'database',
    'database.import',
    'database.migrate',
    'database.migrate.env_file',
    'backups',
    'backups.keep',
    'backups.offsite',
    'services.NAME',
    'services.NAME.env_file',
    'services.NAME.depends_on.NAME',
    'services.NAME.healthcheck',
    'services.NAME.ready',
    'services.NAME.backoff',
    'services.NAME.stop[]',
    'services.NAME.deploy',
    'services.NAME.deploy.resources',
    'services.NAME.deploy.resources.limits',
    'jobs.NAME',
    'jobs.NAME.env_file',
    'jobs.NAME.deploy',
    'jobs.NAME.deploy.resources',
    'jobs.NAME.deploy.resources.limits',
    'queue',
    'queue.keep',
    'api',
    'api.tokens.NAME',
    'metrics',
    'alerts',
    'alerts.rules',
    ...RULE_NAMES.map((name) => `alerts.rules.${name}`),
    'alerts.sinks.NAME',
    'alerts.sinks.NAME.env_file',
    'schedules.NAME',
    'schedules.NAME.env_file',
    'log',
    'logs',
    'ports',
    'Variables',
  ]);
});
