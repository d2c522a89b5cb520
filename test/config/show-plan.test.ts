import { describe, expect, test } from 'vitest';
import { diffPlans, showDifference } from '../../src/config/diff-plans.ts';
import { listPlan, showPlan } from '../../src/config/show-plan.ts';
import { type Given, planOf, readFrom, readText, SHIPPED } from './reading.ts';

const secrets = {
  ADMIN_PASSWORD: 'tiger',
  GEMINI_API_KEY: 'AIza-0123456789',
  NEXTAUTH_SECRET: 'kept for ourselves',
  BULKHEAD_TOKEN: 'open sesame please',
  DATABASE_URL: 'postgresql://me:swordfish@localhost:5432/db',
};

function show(text: string, given: Given = {}): string {
  const reading = readText(text, given);
  return reading.plan ? showPlan(reading.plan, reading.provenance, { color: false }) : '';
}

describe('config show', () => {
  test('shows the shipped tier with the origin of every value', () => {
    const reading = readFrom(SHIPPED, {
      env: { PORT: '8080', BULKHEAD_PORT: '8081' },
      flags: { data: '/srv/data' },
    });
    if (!reading.plan) throw new Error('broken');
    expect(showPlan(reading.plan, reading.provenance, { color: false })).toMatchSnapshot();
  });

  test('masks every secret, wherever it went', () => {
    const reading = readFrom(SHIPPED, { env: secrets });
    if (!reading.plan) throw new Error('broken');
    const shown =
      showPlan(reading.plan, reading.provenance, { color: true }) +
      JSON.stringify(listPlan(reading.plan, reading.provenance));
    for (const secret of [...Object.values(secrets), 'swordfish']) expect(shown).not.toContain(secret);
  });

  test('masks a secret that was put into a command or an innocent name', () => {
    const shown = show(
      'version: 1\nservices: { a: { command: "x ${MY_TOKEN}", environment: { LINK: "u/${MY_TOKEN}" } } }\n',
      {
        env: { MY_TOKEN: 'abc' },
      },
    );
    expect(shown).not.toContain('abc');
  });

  test('says where a secret came from without saying it', () => {
    const shown = show('version: 1\nservices: { a: { command: x, environment: [MY_TOKEN] } }\n', {
      env: { MY_TOKEN_FILE: '/s' },
      files: { '/s': 'from the file\n' },
    });
    expect(shown).toMatch(/MY_TOKEN: \*{8}\s+# plan\.yaml:2/);
  });

  test('lists what is off, and why', () => {
    expect(
      show('version: 1\nservices: { a: { command: x }, b: { command: x } }\n', {
        env: { BULKHEAD_DISABLE: 'b' },
      }),
    ).toContain('# off: b, switched off by BULKHEAD_DISABLE');
  });
});

describe('diffPlans', () => {
  const plan = (services: string, env: Record<string, string> = {}) =>
    planOf(readText(`version: 1\nservices: ${services}\n`, { env }));
  const base = plan(
    '{ a: { command: x, environment: { A: "1", B_TOKEN: "one" } }, b: { command: y, ready: { log: up } } }',
  );

  test('two readings of the same text differ in nothing', () => {
    const same = plan(
      '{ a: { command: x, environment: { B_TOKEN: "one", A: "1" } }, b: { command: y, ready: { log: up } } }',
    );
    expect(diffPlans(base, same)).toEqual({ settings: [], runs: [] });
    expect(showDifference(diffPlans(base, same), { color: false })).toBe('no difference\n');
  });

  test('runs are added, removed and changed, with the words that changed', () => {
    const other = plan(
      '{ a: { command: x, environment: { A: "2", B_TOKEN: "one" }, nice: 3 }, c: { command: z } }',
    );
    expect(diffPlans(base, other)).toEqual({
      settings: [],
      runs: [
        {
          name: 'a',
          kind: 'changed',
          changes: [
            { path: 'environment.A', before: '1', after: '2' },
            { path: 'nice', before: undefined, after: '3' },
          ],
        },
        { name: 'c', kind: 'added', changes: [] },
        { name: 'b', kind: 'removed', changes: [] },
      ],
    });
  });

  test('a changed secret is a change that is not told', () => {
    const other = plan(
      '{ a: { command: x, environment: { A: "1", B_TOKEN: "two" } }, b: { command: y, ready: { log: up } } }',
    );
    const difference = diffPlans(base, other);
    expect(difference.runs[0]?.changes.map(({ path }) => path)).toEqual(['environment.B_TOKEN']);
    expect(showDifference(difference, { color: false })).toBe(
      '~ a\n    environment.B_TOKEN: changed (not shown)\n',
    );
  });

  test('a changed pattern of ready.log is seen', () => {
    const other = plan(
      '{ a: { command: x, environment: { A: "1", B_TOKEN: "one" } }, b: { command: y, ready: { log: down } } }',
    );
    expect(diffPlans(base, other).runs[0]?.changes).toEqual([
      { path: 'ready', before: 'log up', after: 'log down' },
    ]);
  });

  test('settings are compared by their paths', () => {
    const other = plan(
      '{ a: { command: x, environment: { A: "1", B_TOKEN: "one" } }, b: { command: y, ready: { log: up } } }',
      {
        BULKHEAD_PORT: '1234',
        BULKHEAD_TOKEN: 'x',
      },
    );
    expect(diffPlans(base, other).settings).toEqual([
      { path: 'ports.probes', before: '9700', after: '1234' },
      { path: 'token', before: undefined, after: '********' },
    ]);
  });
});
