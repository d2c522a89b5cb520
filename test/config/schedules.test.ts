import { describe, expect, test } from 'vitest';
import { planOf, readText } from './reading.ts';

/** One schedule called nightly, beside a service. */
function read(stanza: string, env: Record<string, string> = {}) {
  return readText(`version: 1\nservices:\n  a: { command: [a] }\nschedules:\n  nightly: ${stanza}\n`, {
    env,
  });
}

function problem(stanza: string): string {
  const { problems } = read(stanza);
  expect(problems).toHaveLength(1);
  return problems?.[0]?.message ?? '';
}

describe('schedules', () => {
  test('are tasks with a time', () => {
    const [schedule] = planOf(
      read(
        `{ cron: "0 2 * * *", time_zone: Europe/Berlin, command: [x, y], timeout: 1h, jitter: 5m, retry_after: 15s, nice: 10 }`,
      ),
    ).schedules;
    expect(schedule).toMatchObject({
      name: 'nightly',
      cron: '0 2 * * *',
      timeZone: 'Europe/Berlin',
      overlap: 'skip',
      catchUp: true,
      jitter: 300_000,
      retryAfter: 15_000,
      off: undefined,
      run: { kind: 'task', critical: false, startTimeout: 3_600_000, nice: 10, retries: 0 },
    });
  });

  test.each([
    ['{ cron: "", command: [x] }', 'no cron expression'],
    [`{ cron: "\${WHEN:-}", command: [x] }`, 'no cron expression'],
    ['{ cron: "@daily", enabled: false, command: [x] }', 'enabled is false'],
  ])('are off: %s', (stanza, off) => {
    expect(planOf(read(stanza)).schedules[0]?.off).toBe(off);
  });

  test.each([
    ['{ cron: "0 2 * *", command: [x] }', /schedules\.nightly\.cron "0 2 \* \*" cannot be read: /],
    ['{ cron: "61 2 * * *", command: [x] }', /Invalid value for minute: 61/],
    ['{ cron: "0 0 31 2 *", command: [x] }', /no day ever matches it/],
    ['{ cron: "@daily", time_zone: Europe/Berlni, command: [x] }', /there is no time zone "Europe\/Berlni"/],
    ['{ every: 5ms, command: [x] }', /schedules\.nightly\.every is less than 1s/],
    ['{ every: 5m, cron: "@daily", command: [x] }', /schedules\.nightly has cron and every/],
    ['{ cron: "@daily" }', /schedules\.nightly has no command/],
    ['{ command: [x] }', /schedules\.nightly needs "cron" or "every"/],
    [
      '{ cron: "@daily", command: [x], depends_on: [a] }',
      /"depends_on" in schedules\.nightly is not possible/,
    ],
  ])('say what is wrong: %s', (stanza, message) => {
    expect(problem(stanza)).toMatch(message);
  });

  test('may come at intervals, which a file over it can take away', () => {
    expect(planOf(read('{ every: 5m, command: [x] }')).schedules[0]).toMatchObject({
      every: 300_000,
      off: undefined,
    });
    expect(planOf(read('{ every: 300, command: [x] }')).schedules[0]?.every).toBe(300_000);
    const replaced = planOf(read('{ every: 0s, cron: "@daily", command: [x] }')).schedules[0];
    expect(replaced).toMatchObject({ cron: '@daily', off: undefined });
    expect(replaced?.every).toBeUndefined();
    expect(planOf(read('{ every: 0s, command: [x] }')).schedules[0]?.off).toBe('no cron expression');
  });

  test('that require a cluster are off where the database is elsewhere', () => {
    const plan =
      'version: 1\ndatabase: { name: d }\nservices:\n  a: { command: [a] }\nschedules:\n  s: { cron: "@daily", requires: cluster, command: [x] }\n';
    expect(planOf(readText(plan)).schedules[0]?.off).toBeUndefined();
    const elsewhere = readText(plan, { env: { DATABASE_URL: 'postgresql://u:p@db.example.com/d' } });
    expect(planOf(elsewhere).schedules[0]?.off).toBe('the database is elsewhere: DATABASE_URL');
    const off = readText(plan, { env: { BULKHEAD_DISABLE: 'database' } });
    expect(planOf(off).schedules[0]?.off).toContain('BULKHEAD_DISABLE');
  });

  test('share no name with a service, for logs go by names', () => {
    const { problems } = readText(
      'version: 1\nservices: { a: { command: [a] } }\nschedules: { a: { cron: "@daily", command: [x] } }\n',
    );
    expect(problems?.map(({ message }) => message)).toEqual([
      'a schedule cannot be called "a": a service is',
    ]);
  });
});
