import { describe, expect, test } from 'vitest';
import { planOf, readText, runOf, serviceOf, spotsOf } from './reading.ts';

const base = `version: 1
name: base
services:
  app:
    command: [node, server.js]
    user: app
    environment:
      A: base
      B: base
    env_file: base.env
    depends_on: [redis]
    healthcheck:
      test: [CMD, "true"]
      interval: 5s
  redis:
    command: redis-server
`;

function extend(text: string, env: Record<string, string> = {}) {
  return readText(`version: 1\nextends: bases/base.yaml\n${text}`, {
    env,
    files: { '/bases/base.yaml': base },
  });
}

describe('extends lays a file over another by the override rules of Compose', () => {
  test('single values are replaced, the rest stays', () => {
    const app = serviceOf(extend('name: over\nservices: { app: { user: other } }\n'), 'app');
    expect(app.user).toBe('other');
    expect(app.work).toEqual({ kind: 'command', argv: ['node', 'server.js'] });
    expect(planOf(extend('name: over\n')).name).toBe('over');
    expect(planOf(extend('')).name).toBe('base');
  });

  test('command and test are replaced whole', () => {
    const app = serviceOf(
      extend('services: { app: { command: [bun], healthcheck: { test: [CMD, x] } } }\n'),
      'app',
    );
    expect(app.work).toEqual({ kind: 'command', argv: ['bun'] });
    expect(app.healthcheck?.probe).toEqual({ kind: 'exec', argv: ['x'] });
    expect(app.healthcheck?.interval).toBe(5000);
  });

  test('another question replaces the one of the base', () => {
    const app = serviceOf(extend('services: { app: { healthcheck: { tcp: 3000 } } }\n'), 'app');
    expect(app.healthcheck?.probe).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 3000 });
    expect(
      serviceOf(extend('services: { app: { healthcheck: { disable: true } } }\n'), 'app').healthcheck,
    ).toBeUndefined();
  });

  test('environment merges by name, whichever form either file has', () => {
    const app = runOf(extend('services: { app: { environment: [B=over, C=over] } }\n'), 'app');
    expect(app.environment).toEqual({ A: 'base', B: 'over', C: 'over' });
  });

  test('a name without value passes the variable through, over a value of the base', () => {
    const text = 'services: { app: { environment: { A: } } }\n';
    expect(runOf(extend(text, { A: 'outside' }), 'app').environment).toEqual({ A: 'outside', B: 'base' });
  });

  test('dependencies merge by name, short and long form alike', () => {
    const text =
      'services: { app: { depends_on: { redis: { required: false }, b: {} } }, b: { command: x } }\n';
    expect(runOf(extend(text), 'app').dependsOn).toEqual({
      redis: { condition: 'service_started', required: false },
      b: { condition: 'service_started', required: true },
    });
  });

  test('env files are put one after the other, each relative to the file that names it', () => {
    expect(runOf(extend('services: { app: { env_file: [over.env] } }\n'), 'app').envFiles).toEqual([
      { path: '/bases/base.env', required: true },
      { path: '/over.env', required: true },
    ]);
  });

  test('!reset forgets, !override replaces', () => {
    const reading = extend(
      'services: { app: { depends_on: !reset null, environment: !override { C: c } }, redis: !reset null }\n',
    );
    expect(runOf(reading, 'app').dependsOn).toEqual({});
    expect(runOf(reading, 'app').environment).toEqual({ C: 'c' });
    expect(planOf(reading).runs.map(({ name }) => name)).toEqual(['app']);
  });

  test('services of the base come first, new ones after', () => {
    const names = planOf(extend('services: { zeta: { command: x }, app: { nice: 1 } }\n')).runs.map(
      ({ name }) => name,
    );
    expect(names).toEqual(['app', 'redis', 'zeta']);
  });

  test('a service that is called like a word is merged like any other', () => {
    const reading = readText(
      'version: 1\nextends: b.yaml\nservices: { command: { nice: 3 }, test: { nice: 4 } }\n',
      {
        files: { '/b.yaml': 'version: 1\nservices: { command: { command: x }, test: { command: y } }\n' },
      },
    );
    expect(planOf(reading).runs).toMatchObject([
      { name: 'command', nice: 3 },
      { name: 'test', nice: 4 },
    ]);
  });

  test('three files make a chain', () => {
    const reading = readText('version: 1\nextends: b.yaml\nservices: { app: { nice: 3 } }\n', {
      files: {
        '/b.yaml': 'version: 1\nextends: bases/base.yaml\nservices: { app: { nice: 2, user: b } }\n',
        '/bases/base.yaml': base,
      },
    });
    expect(runOf(reading, 'app')).toMatchObject({ nice: 3, user: 'b' });
    expect(reading.plan && reading.provenance.files).toEqual(['/plan.yaml', '/b.yaml', '/bases/base.yaml']);
  });

  test('files that extend each other are refused', () => {
    const reading = readText('version: 1\nextends: b.yaml\n', {
      files: { '/b.yaml': 'version: 1\nextends: plan.yaml\n' },
    });
    expect(spotsOf(reading)).toContain('endless-extends@2:10');
  });
});
