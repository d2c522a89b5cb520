import { describe, expect, test } from 'vitest';
import { listPlan } from '../../src/config/show-plan.ts';
import { planOf, readText, runOf, serviceOf, spotsOf } from './reading.ts';

function read(services: string, more: Parameters<typeof readText>[1] = {}) {
  return readText(`version: 1\nservices:\n${services}`, more);
}

const web = `  web:
    command: [node, server.js, "--id=\${BULKHEAD_INSTANCE}"]
    port: 3000
    deploy: { replicas: 3 }
    environment: { NAME: "web \${BULKHEAD_INSTANCE}" }
    healthcheck: { http: "http://127.0.0.1:\${BULKHEAD_INSTANCE_PORT}/" }
`;

describe('deploy.replicas', () => {
  test('makes as many services, each with its number and its port', () => {
    const plan = planOf(read(web));
    expect(plan.runs.map(({ name, replicaOf }) => [name, replicaOf])).toEqual([
      ['web-1', 'web'],
      ['web-2', 'web'],
      ['web-3', 'web'],
    ]);
    expect(serviceOf(read(web), 'web-2')).toMatchObject({
      work: { argv: ['node', 'server.js', '--id=2'] },
      environment: { BULKHEAD_INSTANCE: '2', PORT: '3001', NAME: 'web 2' },
      healthcheck: { probe: { kind: 'http', url: 'http://127.0.0.1:3001/' } },
    });
  });

  test('also where a word must be known when the plan is read', () => {
    const text = `  a: { command: x, port: 7000, deploy: { replicas: 2 }, working_dir: "/srv/\${BULKHEAD_INSTANCE}", healthcheck: { tcp: "\${BULKHEAD_INSTANCE_PORT}" } }\n`;
    expect(serviceOf(read(text), 'a-2')).toMatchObject({
      workingDir: '/srv/2',
      healthcheck: { probe: { kind: 'tcp', port: 7001 } },
    });
  });

  test('numbers even a single one, so that it can be scaled; without the word a service keeps its name', () => {
    const plan = planOf(
      read(
        `  a: { command: x, deploy: { replicas: 1 } }\n  b: { command: "x \${BULKHEAD_INSTANCE}", port: 80 }\n`,
      ),
    );
    expect(plan.runs.map(({ name }) => name)).toEqual(['a-1', 'b']);
    expect(plan.runs[1]).toMatchObject({ work: { argv: ['x', '1'] }, environment: { PORT: '80' } });
    expect(plan.runs[1]?.environment).not.toHaveProperty('BULKHEAD_INSTANCE');
  });

  test('the environment of the plan beats what replicas are told', () => {
    const text =
      '  a: { command: x, port: 80, deploy: { replicas: 1 }, environment: [PORT=9, BULKHEAD_INSTANCE] }\n';
    expect(runOf(read(text), 'a-1').environment).toEqual({ PORT: '9', BULKHEAD_INSTANCE: '1' });
  });

  test.each(['[web]', '{ web: { condition: service_healthy } }'])(
    'depends_on: %s means all of them',
    (written) => {
      const reading = read(`${web}  proxy: { command: x, depends_on: ${written} }\n`);
      expect(Object.keys(runOf(reading, 'proxy').dependsOn)).toEqual(['web-1', 'web-2', 'web-3']);
    },
  );

  test('replicas of replicas wait for all, and a cycle through them is seen', () => {
    const good = `${web}  api: { command: x, deploy: { replicas: 2 }, depends_on: [web] }\n`;
    expect(Object.keys(runOf(read(good), 'api-2').dependsOn)).toEqual(['web-1', 'web-2', 'web-3']);
    const cycle =
      '  a: { command: x, deploy: { replicas: 2 }, depends_on: [b] }\n  b: { command: x, depends_on: [a] }\n';
    expect(read(cycle).problems?.map(({ code }) => code)).toContain('dependency-cycle');
  });

  test('app stays critical as replicas', () => {
    expect(runOf(read('  app: { command: x, deploy: { replicas: 2 } }\n'), 'app-2').critical).toBe(true);
  });

  test('none at all is a plan too, and nobody waits for them', () => {
    const reading = read(
      '  a: { command: x, deploy: { replicas: 0 } }\n  b: { command: x, depends_on: [a] }\n',
    );
    expect(planOf(reading).runs.map(({ name, dependsOn }) => [name, dependsOn])).toEqual([['b', {}]]);
  });

  test('are switched on and off by the name of all', () => {
    const both = `${web}  other: { command: x }\n`;
    const names = (env: Record<string, string>) => planOf(read(both, { env })).runs.map(({ name }) => name);
    expect(names({ BULKHEAD_DISABLE: 'web' })).toEqual(['other']);
    expect(names({ BULKHEAD_ONLY: 'web' })).toEqual(['web-1', 'web-2', 'web-3']);
    expect(names({ BULKHEAD_DISABLE: 'web-2' })).toEqual(['web-1', 'web-3', 'other']);
  });

  test('a mistake is told once, at its place', () => {
    const text = '  a: { command: x, deploy: { replicas: 3 }, restart: allways, depends_on: [zz] }\n';
    expect(spotsOf(read(text))).toEqual(['wrong-value@3:54', 'dependency-missing@3:76']);
  });

  test.each([
    ['  a: { command: x, deploy: { replicas: many } }', 'wrong-value'],
    ['  a: { command: x, type: task, deploy: { replicas: 2 } }', 'not-of-a-task'],
    ['  a: { command: x, deploy: { replicas: 2 } }\n  a-2: { command: y }', 'bad-name'],
    ['  a: { command: x, port: 65535, deploy: { replicas: 2 } }', 'wrong-value'],
    ['  a: { command: "x ${BULKHEAD_INSTANCE_PORT}" }', 'late-value'],
    ['  a: { command: x, scale: 2 }', 'unknown-key'],
    ['  a: { command: x }\nstop_timeout: "${BULKHEAD_INSTANCE}s"', 'late-value'],
  ])('%s is refused', (text, code) => {
    expect(new Set(read(`${text}\n`).problems?.map((problem) => problem.code))).toEqual(new Set([code]));
  });
});

describe('what is said of replicas', () => {
  test('a warning is given once, in the name that is written', () => {
    const { warnings } = read(`${web}  b: { command: x }\n`, { root: true });
    expect(warnings.map(({ message }) => message)).toEqual([
      'web has no user and runs as root',
      'b has no user and runs as root',
    ]);
  });

  test('each value comes from its line', () => {
    const reading = read(web);
    if (!reading.plan) throw new Error('the plan is broken');
    const shown = listPlan(reading.plan, reading.provenance);
    expect(shown.find(({ path }) => path === 'services.web-2.command')).toMatchObject({
      value: '["node", "server.js", "--id=2"]',
      from: 'plan.yaml:4',
    });
    expect(shown.find(({ path }) => path === 'services.web-2.replica_of')).toMatchObject({ value: 'web' });
  });
});

describe('a count asked for at run time', () => {
  test('beats the plan', () => {
    const names = (count: number) =>
      planOf(read(`${web}  b: { command: x }\n`, { replicas: { web: count } })).runs.map(({ name }) => name);
    expect(names(1)).toEqual(['web-1', 'b']);
    expect(names(0)).toEqual(['b']);
    expect(names(4)).toEqual(['web-1', 'web-2', 'web-3', 'web-4', 'b']);
  });

  test.each(['b', 'zz', 'web-1'])('of %s is refused: it has no replicas', (name) => {
    const reading = read(`${web}  b: { command: x }\n`, { replicas: { [name]: 2 } });
    expect(reading.problems?.map(({ code }) => code)).toEqual(['no-replicas']);
  });
});
