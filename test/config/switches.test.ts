import { describe, expect, test } from 'vitest';
import { readPlan } from '../../src/config/read-plan.ts';
import { type Given, planOf, readFrom, readText } from './reading.ts';

const text = `version: 1
database:
  migrate: { command: migrate }
services:
  app: { command: x, depends_on: { database: { condition: service_healthy } } }
  side: { command: x }
  extra: { command: x, profiles: [debug] }
`;

function runs(env: Record<string, string>): string[] {
  return planOf(readText(text, { env })).runs.map(({ name }) => name);
}

function messages(env: Record<string, string>, plan = text, given: Given = {}): string[] {
  const { problems = [] } = readText(plan, { ...given, env });
  return problems.map(({ message, suggestion }) => `${message}; ${suggestion ?? ''}`);
}

const BOOT = ['cluster', 'database', 'setup', 'migrate'];

describe('BULKHEAD_ENABLE, DISABLE and ONLY', () => {
  test('without them, everything runs but what a profile keeps off', () => {
    expect(runs({})).toEqual([...BOOT, 'app', 'side']);
    expect(planOf(readText(text)).disabled).toEqual([{ name: 'extra', why: 'only in profile debug' }]);
  });

  test('ENABLE switches on what a profile keeps off', () => {
    expect(runs({ BULKHEAD_ENABLE: ' extra ,' })).toEqual([...BOOT, 'app', 'side', 'extra']);
  });

  test('a profile that is the tier is on', () => {
    expect(runs({ BULKHEAD_TIER: 'debug' })).toContain('extra');
  });

  test('DISABLE switches off and says so', () => {
    const plan = planOf(readText(text, { env: { BULKHEAD_DISABLE: 'side' } }));
    expect(plan.runs.map(({ name }) => name)).not.toContain('side');
    expect(plan.disabled).toContainEqual({ name: 'side', why: 'switched off by BULKHEAD_DISABLE' });
  });

  test('DISABLE beats ENABLE and ONLY', () => {
    expect(runs({ BULKHEAD_ENABLE: 'extra', BULKHEAD_DISABLE: 'extra' })).not.toContain('extra');
    expect(runs({ BULKHEAD_ONLY: 'side,extra', BULKHEAD_DISABLE: 'extra' })).toEqual(['side']);
  });

  test('ONLY leaves the rest out; database stands for its whole boot order', () => {
    expect(runs({ BULKHEAD_ONLY: 'database' })).toEqual(BOOT);
    expect(runs({ BULKHEAD_ONLY: 'side' })).toEqual(['side']);
  });

  test('the migration can be switched off by itself, and nobody waits for it then', () => {
    const plan = planOf(readText(text, { env: { BULKHEAD_DISABLE: 'migrate' } }));
    const app = plan.runs.find(({ name }) => name === 'app');
    expect(Object.keys(app?.dependsOn ?? {})).toEqual(['database', 'setup']);
  });

  test('with the database off, there is none in the plan', () => {
    const plan = planOf(readText(text, { env: { BULKHEAD_DISABLE: 'database,app' } }));
    expect(plan.database).toBeUndefined();
    expect(plan.runs.map(({ name }) => name)).toEqual(['side']);
  });

  test('a dependency that is off is an error that names the switch', () => {
    expect(messages({ BULKHEAD_DISABLE: 'database' })).toEqual([
      'services.app depends on database, which is off: switched off by BULKHEAD_DISABLE; take database out of BULKHEAD_DISABLE, or add app to it',
    ]);
    expect(messages({ BULKHEAD_ONLY: 'app' })).toEqual([
      'services.app depends on database, which is off: not named by BULKHEAD_ONLY; add database to BULKHEAD_ONLY',
    ]);
  });

  test('a service that needs the address of a database that is off is refused', () => {
    const needs =
      'version: 1\ndatabase:\nservices: { a: { command: x, environment: [DATABASE_URL] }, b: { command: x } }\n';
    expect(messages({ BULKHEAD_DISABLE: 'database' }, needs)).toEqual([
      'a needs DATABASE_URL, but the database is switched off by BULKHEAD_DISABLE; switch a off as well, or leave the database on',
    ]);
    expect(messages({ BULKHEAD_DISABLE: 'database,a' }, needs)).toEqual([]);
  });

  test('an optional dependency that is off is passed over', () => {
    const optional =
      'version: 1\nservices: { a: { command: x, depends_on: { b: { required: false } } }, b: { command: x } }\n';
    const plan = planOf(readText(optional, { env: { BULKHEAD_DISABLE: 'b' } }));
    expect(plan.runs[0]?.dependsOn).toEqual({});
  });

  test('a name nobody has is an error with a suggestion', () => {
    expect(messages({ BULKHEAD_DISABLE: 'sied' })).toEqual([
      'BULKHEAD_DISABLE names "sied", which this tier has not; did you mean "side"?',
    ]);
    expect(messages({ BULKHEAD_DISABLE: 'cluster' })[0]).toContain('a part of database');
  });

  test('switching everything off is an error', () => {
    expect(messages({ BULKHEAD_ONLY: 'side', BULKHEAD_DISABLE: 'side' })[0]).toContain(
      'every service of the plan is switched off',
    );
  });
});

describe('tiers', () => {
  const files = {
    '/etc/p/core.yaml': 'version: 1\nservices: { app: { command: x, depends_on: [worker] } }\n',
    '/etc/p/full.yaml': 'version: 1\nextends: core.yaml\nservices: { worker: { command: x } }\n',
  };

  test('a dependency outside the tier names the tier to choose', () => {
    const { problems } = readFrom('/etc/p', { files });
    expect(problems?.[0]).toMatchObject({
      code: 'dependency-outside',
      suggestion: 'it is in tier full: set BULKHEAD_TIER=full',
    });
    expect(planOf(readFrom('/etc/p', { files, env: { BULKHEAD_TIER: 'full' } })).tier).toBe('full');
  });

  test('enabling a service of another tier names that tier', () => {
    const { problems } = readFrom('/etc/p', { files, env: { BULKHEAD_ENABLE: 'worker' } });
    expect(problems?.[0]?.suggestion).toBe('it is in tier full: set BULKHEAD_TIER=full');
  });

  test('the flag beats the variable', () => {
    expect(
      planOf(readFrom('/etc/p', { files, flags: { tier: 'full' }, env: { BULKHEAD_TIER: 'core' } })).tier,
    ).toBe('full');
  });

  test('a tier that is not there is refused with those that are', () => {
    const { problems } = readFrom('/etc/p', { files, env: { BULKHEAD_TIER: 'ful' } });
    expect(problems?.[0]).toMatchObject({
      suggestion: 'did you mean "full"?',
      note: 'tiers there: core, full',
    });
    expect(readFrom('/etc/p', { files, env: { BULKHEAD_TIER: '../x' } }).problems?.[0]?.code).toBe(
      'bad-tier',
    );
  });

  test('a relative path counts from the working folder', () => {
    const text = 'version: 1\nservices: { a: { command: x, env_file: a.env } }\n';
    const plan = planOf(
      readPlan({
        flags: {},
        env: { BULKHEAD_CONFIG: 'p/x.yaml' },
        root: false,
        runDir: '/run',
        cwd: '/srv',
        readFile: (path) => (path === '/srv/p/x.yaml' ? text : undefined),
      }),
    );
    expect(plan.runs[0]?.envFiles).toEqual([{ path: '/srv/p/a.env', required: true }]);
  });

  test('a folder without any plan is named', () => {
    expect(readFrom('/nowhere').problems?.[0]?.message).toBe(
      'cannot read a plan at /nowhere: there is no core.yaml',
    );
  });
});
