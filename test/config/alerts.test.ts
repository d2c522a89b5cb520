import { expect, test } from 'vitest';
import { settingLines } from '../../src/config/plan-lines.ts';
import { readText } from './reading.ts';

const PLAN = `version: 1
services:
  app: { command: [x] }
schedules:
  nightly: { cron: "0 2 * * *", command: [bulkhead, backup, run, daily] }
  tidy: { cron: "0 3 * * *", command: [tidy] }
alerts:
  rules: { QueueBacklog: { threshold: 7, for: 2m }, ClockStep: { enabled: false } }
  sinks:
    ops: { type: webhook, url: "https://hooks.example.com/T000?key=hidden", secret: 0123456789abcdef }
    off: { type: slack, url: "\${SLACK_WEBHOOK_URL:-}" }
    crashes: { type: sentry, url: "https://key@sentry.example.com/7" }
`;

test('alerts bring the API, know what backs up, and keep the addresses of sinks to themselves', () => {
  const { plan } = readText(PLAN);
  if (plan === undefined) throw new Error('the plan is refused');
  expect(plan.runs.find(({ name }) => name === 'api')?.folders).toEqual(['/data/bulkhead/alerts']);
  expect(plan.alerts?.backups.map(({ name }) => name)).toEqual(['nightly']);
  expect(plan.alerts?.sinks.map(({ name, minSeverity }) => [name, minSeverity])).toEqual([
    ['ops', 'warning'],
    ['crashes', 'critical'],
  ]);
  expect(plan.alerts?.rules.find(({ name }) => name === 'QueueBacklog')).toMatchObject({
    threshold: 7,
    for: 120_000,
    severity: 'warning',
  });
  expect(plan.alerts?.rules.some(({ name }) => name === 'ClockStep')).toBe(false);
  const lines = settingLines(plan).map(({ path, value }) => `${path}: ${value}`);
  expect(lines).toContain('alerts.rules.QueueBacklog.for: 2m');
  expect(lines).toContain('alerts.rules.ClockStep.enabled: false');
  expect(lines.join('\n')).not.toMatch(/hidden|0123456789abcdef|key@/);
});

test('where they are off nothing is judged, and no API is brought', () => {
  const { plan } = readText('version: 1\nservices: { app: { command: [x] } }\nalerts: { enabled: false }\n');
  expect([plan?.alerts, plan?.api]).toEqual([undefined, undefined]);
});

test('a sink whose address is empty is off, and known by its name', () => {
  const { plan } = readText(`version: 1
services: { app: { command: [x] } }
alerts: { sinks: { ops: { type: webhook, url: '' }, chat: { type: slack, url: 'https://h.example/1' } } }
`);
  expect(plan?.alerts?.sinks.map(({ name }) => name)).toEqual(['chat']);
  expect(plan?.alerts?.sinksOff).toEqual(['ops']);
});

test('a command is told as well: it has its user, its time and its variables, and no address', () => {
  const { plan } = readText(`version: 1
services:
  app: { command: [x] }
alerts:
  sinks:
    pager: { type: exec, command: [/opt/page, --now], user: nobody, environment: { PAGER_TOKEN: hidden-token } }
`);
  if (plan === undefined) throw new Error('the plan is refused');
  expect(plan.alerts?.sinks).toMatchObject([
    {
      name: 'pager',
      type: 'exec',
      url: '',
      run: { name: 'alert-pager', user: 'nobody', startTimeout: 30_000 },
    },
  ]);
  const lines = settingLines(plan).flatMap(({ path, value }) =>
    path.startsWith('alerts.sinks') ? [`${path}: ${value}`] : [],
  );
  expect(lines).toEqual([
    'alerts.sinks.pager.type: exec',
    'alerts.sinks.pager.min_severity: warning',
    'alerts.sinks.pager.command: ["/opt/page", "--now"]',
    'alerts.sinks.pager.user: nobody',
    'alerts.sinks.pager.environment.PAGER_TOKEN: ********',
    'alerts.sinks.pager.timeout: 30s',
  ]);
});
