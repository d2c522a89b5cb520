import { describe, expect, test } from 'vitest';
import { planOf, readText, runOf, serviceOf } from './reading.ts';

/** One service called a. */
function read(stanza: string, env: Record<string, string> = {}) {
  return readText(`version: 1\nservices:\n  a: ${stanza}\n`, { env });
}

function argv(command: string) {
  const { work } = runOf(read(`{ command: ${command} }`), 'a');
  return work.kind === 'command' ? work.argv : [];
}

describe('command', () => {
  test.each([
    ['[node, server.js]', ['node', 'server.js']],
    ['node server.js', ['node', 'server.js']],
    [`"  a   b  "`, ['a', 'b']],
    [`"a 'b c' d"`, ['a', 'b c', 'd']],
    [`'a "b c" d'`, ['a', 'b c', 'd']],
    [`'a b\\ c'`, ['a', 'b c']],
    [`'a "b\\"c"'`, ['a', 'b"c']],
    [`'a "b\\c"'`, ['a', 'b\\c']],
    [`"a '' b"`, ['a', '', 'b']],
    [`"a'b'c"`, ['abc']],
    [`['', x]`, undefined],
  ])('%s', (written, wanted) => {
    if (wanted === undefined) expect(read(`{ command: ${written} }`).problems).toHaveLength(1);
    else expect(argv(written)).toEqual(wanted);
  });

  test('keeps late values whole when a text is split', () => {
    expect(argv('"psql ${NEXTAUTH_SECRET} \'a ${NEXTAUTH_SECRET} b\' c"')).toEqual([
      'psql',
      { parts: [{ late: 'NEXTAUTH_SECRET' }] },
      { parts: ['a ', { late: 'NEXTAUTH_SECRET' }, ' b'] },
      'c',
    ]);
  });

  test('is never run by a shell, and says so where that seems to be meant', () => {
    expect(read('{ command: "a && b" }').warnings).toMatchObject([{ code: 'no-shell' }]);
    expect(read(`{ command: 'sh -c "a && b"' }`).warnings).toEqual([]);
  });

  test('stands behind entrypoint', () => {
    expect(runOf(read('{ entrypoint: [tini, --], command: node x.js }'), 'a').work).toMatchObject({
      argv: ['tini', '--', 'node', 'x.js'],
    });
  });
});

describe('defaults', () => {
  const plain = serviceOf(read('{ command: x }'), 'a');

  test('a service restarts always, with a limit, and is stopped as in Compose', () => {
    expect(plain).toMatchObject({
      kind: 'service',
      critical: false,
      restart: {
        policy: 'always',
        initialDelay: 500,
        maxDelay: 30_000,
        stableAfter: 10_000,
        giveUp: { limit: 5, window: 600_000 },
      },
      stop: {
        rungs: [
          { signal: 'SIGTERM', wait: 10_000 },
          { signal: 'SIGKILL', wait: 2000 },
        ],
        target: 'leader-then-group',
        reserve: 0,
      },
      onUnhealthy: 'restart',
    });
    expect(plain.healthcheck ?? plain.ready ?? plain.startTimeout).toBeUndefined();
  });

  test('a healthcheck has the times of Compose; what we ask ourselves is asked more often until the first success', () => {
    const check = (stanza: string) =>
      serviceOf(read(`{ command: x, healthcheck: ${stanza} }`), 'a').healthcheck;
    const times = { interval: 30_000, timeout: 30_000, retries: 3, startPeriod: 0 };
    expect(check('{ test: "true" }')).toMatchObject({ ...times, startInterval: 5000 });
    expect(check('{ tcp: 80 }')).toMatchObject({ ...times, startInterval: 250 });
    expect(check('{ tcp: 80, interval: 100ms }')).toMatchObject({ startInterval: 100 });
  });

  test('app is critical, and can be told not to be', () => {
    const critical = (stanza: string) =>
      runOf(readText(`version: 1\nservices: { app: ${stanza} }\n`), 'app').critical;
    expect(critical('{ command: x }')).toBe(true);
    expect(critical('{ command: x, critical: false }')).toBe(false);
  });
});

describe('restart', () => {
  test.each([
    ['"no"', 'no', { limit: 5, window: 600_000 }],
    ['no', 'no', { limit: 5, window: 600_000 }],
    ['always', 'always', { limit: 5, window: 600_000 }],
    ['unless-stopped', 'always', { limit: 5, window: 600_000 }],
    ['on-failure', 'on-failure', { limit: 5, window: 600_000 }],
    ['on-failure:7', 'on-failure', { limit: 7, window: Number.POSITIVE_INFINITY }],
    ['on-failure:0', 'on-failure', { limit: 0, window: Number.POSITIVE_INFINITY }],
  ])('%s', (written, policy, giveUp) => {
    expect(serviceOf(read(`{ command: x, restart: ${written} }`), 'a').restart).toMatchObject({
      policy,
      giveUp,
    });
  });

  test('backoff sets the waits, and a limit of 0 never gives up', () => {
    const stanza = '{ command: x, backoff: { initial: 10ms, max: 1m30s, stable_after: 1h, limit: 0 } }';
    expect(serviceOf(read(stanza), 'a').restart).toEqual({
      policy: 'always',
      initialDelay: 10,
      maxDelay: 90_000,
      stableAfter: 3_600_000,
      giveUp: undefined,
    });
  });

  test('law 14: a window that its own waits outgrow is a warning, one that can be reached is none', () => {
    const warned = (backoff: string) =>
      read(`{ command: x, backoff: ${backoff} }`).warnings.map(({ code }) => code);
    expect(warned('{ limit: 20, window: 1m }')).toEqual(['never-gives-up']);
    expect(warned('{ limit: 3, window: 1m }')).toEqual([]);
    expect(warned('{ initial: 1s, limit: 3, window: 3s }')).toEqual([]);
    expect(warned('{ initial: 1s, limit: 3, window: 2999ms }')).toEqual(['never-gives-up']);
    // Waits at their cap count as well as growing ones.
    expect(warned('{ initial: 60s, max: 60s, limit: 5, window: 10s }')).toEqual(['never-gives-up']);
    expect(warned('{ initial: 1m, max: 1m }')).toEqual([]);
    expect(warned('{ initial: 4m, max: 4m }')).toEqual(['never-gives-up']);
    expect(warned('{ initial: 4m, max: 4m, limit: 0 }')).toEqual([]);
  });

  test('law 14: a count of retries is reached however long its waits are, unless a window cuts it', () => {
    const warned = (words: string) =>
      read(`{ command: x, restart: "on-failure:9", ${words} }`).warnings.map(({ code }) => code);
    expect(warned('backoff: { initial: 1h, max: 1h }')).toEqual([]);
    expect(warned('backoff: { initial: 1h, max: 1h, window: 1h }')).toEqual(['never-gives-up']);
  });
});

describe('exit codes', () => {
  test('are one number or a list, for services and tasks', () => {
    expect(
      runOf(read('{ command: x, success_exit_codes: 3, fatal_exit_codes: [78, 64] }'), 'a'),
    ).toMatchObject({
      exitCodes: { success: [3], fatal: [78, 64] },
    });
    expect(runOf(read('{ command: x, type: task, fatal_exit_codes: 2 }'), 'a')).toMatchObject({
      exitCodes: { success: [], fatal: [2] },
    });
    expect(runOf(read('{ command: x }'), 'a')).not.toHaveProperty('exitCodes');
  });

  test.each([
    ['success_exit_codes: [256]', 'wrong-value'],
    ['fatal_exit_codes: SIGTERM', 'wrong-value'],
    ['fatal_exit_codes: [0]', 'two-meanings'],
    ['success_exit_codes: [3], fatal_exit_codes: [3]', 'two-meanings'],
  ])('%s is refused', (words, code) => {
    expect(read(`{ command: x, ${words} }`).problems?.map((one) => one.code)).toEqual([code]);
  });
});

describe('healthcheck', () => {
  test.each([
    ['{ test: curl localhost }', { kind: 'exec', argv: ['/bin/sh', '-c', 'curl localhost'] }],
    ['{ test: [CMD-SHELL, "a | b"] }', { kind: 'exec', argv: ['/bin/sh', '-c', 'a | b'] }],
    ['{ test: [CMD, a, b] }', { kind: 'exec', argv: ['a', 'b'] }],
    ['{ http: "http://127.0.0.1:3000/x" }', { kind: 'http', url: 'http://127.0.0.1:3000/x' }],
    ['{ tcp: 6379 }', { kind: 'tcp', host: '127.0.0.1', port: 6379 }],
    ['{ tcp: "localhost:6379" }', { kind: 'tcp', host: 'localhost', port: 6379 }],
    ['{ tcp: "[::1]:6379" }', { kind: 'tcp', host: '::1', port: 6379 }],
    ['{ postgres: "/run/pg:5432" }', { kind: 'postgres', host: '/run/pg', port: 5432 }],
  ])('%s', (written, probe) => {
    expect(serviceOf(read(`{ command: x, healthcheck: ${written} }`), 'a').healthcheck?.probe).toEqual(probe);
  });

  test.each(['{ test: [NONE] }', '{ disable: true }', '{ disable: true, tcp: 80 }'])(
    '%s is none',
    (written) => {
      expect(serviceOf(read(`{ command: x, healthcheck: ${written} }`), 'a').healthcheck).toBeUndefined();
    },
  );
});

test('nobody can wait for the health of a service whose check is disabled', () => {
  const text =
    'version: 1\nservices: { a: { command: x, healthcheck: { disable: true } }, b: { command: x, depends_on: { a: { condition: service_healthy } } } }\n';
  expect(readText(text).problems?.map(({ code }) => code)).toEqual(['condition']);
});

describe('other words', () => {
  test('ready by descriptor or by a line of the log', () => {
    expect(serviceOf(read('{ command: x, ready: { fd: 3 } }'), 'a').ready).toEqual({ kind: 'fd', fd: 3 });
    expect(serviceOf(read('{ command: x, ready: { log: "on port \\\\d+" } }'), 'a').ready).toEqual({
      kind: 'log',
      pattern: /on port \d+/u,
    });
  });

  test('a stop ladder ends with SIGKILL, whether written or not', () => {
    const stop = (rungs: string) => runOf(read(`{ command: x, stop: ${rungs} }`), 'a').stop.rungs;
    expect(stop('[{ signal: int, wait: 1s }, { signal: SIGQUIT, wait: 2s }]')).toEqual([
      { signal: 'SIGINT', wait: 1000 },
      { signal: 'SIGQUIT', wait: 2000 },
      { signal: 'SIGKILL', wait: 2000 },
    ]);
    expect(stop('[{ signal: SIGTERM, wait: 1s }, { signal: SIGKILL, wait: 9s }]').at(-1)).toEqual({
      signal: 'SIGKILL',
      wait: 9000,
    });
  });

  test('stop_signal and stop_grace_period are a ladder of one rung', () => {
    expect(
      runOf(read('{ command: x, stop_signal: SIGUSR1, stop_grace_period: 1m30s }'), 'a').stop.rungs[0],
    ).toEqual({
      signal: 'SIGUSR1',
      wait: 90_000,
    });
  });

  test('env_file as a text, a map, and a list of both', () => {
    const files = (written: string) => runOf(read(`{ command: x, env_file: ${written} }`), 'a').envFiles;
    expect(files('a.env')).toEqual([{ path: '/a.env', required: true }]);
    expect(files('{ path: /x/a.env, required: false }')).toEqual([{ path: '/x/a.env', required: false }]);
    expect(files('[a.env, { path: ../b.env }]')).toEqual([
      { path: '/a.env', required: true },
      { path: '/b.env', required: true },
    ]);
  });

  test('environment keeps the spelling of numbers and words', () => {
    const text = '{ command: x, environment: { V: 1.10, B: yes, T: true, O: 0777, E: "", N: "null" } }';
    expect(runOf(read(text), 'a').environment).toEqual({
      V: '1.10',
      B: 'yes',
      T: 'true',
      O: '0777',
      E: '',
      N: 'null',
    });
  });

  test('numbers and switches may come from variables', () => {
    const text =
      '{ command: x, nice: "${NICE}", critical: "${CRIT}", start_timeout: "${T}s", oom_score_adj: "${NONE:-}" }';
    expect(runOf(read(text, { NICE: '5', CRIT: 'true', T: '7' }), 'a')).toMatchObject({
      nice: 5,
      critical: true,
      startTimeout: 7000,
      oomScoreAdj: undefined,
    });
  });

  test('YAML anchors and merge keys work', () => {
    const text = `version: 1
x-base: &base
  user: nobody
  environment: { A: 1 }
services:
  a: { <<: *base, command: x }
  b: { <<: *base, command: y, user: other }
`;
    expect(runOf(readText(text), 'a')).toMatchObject({ user: 'nobody', environment: { A: '1' } });
    expect(runOf(readText(text), 'b').user).toBe('other');
  });

  test('whoever has no user as root is told so, unless it is said on purpose', () => {
    const warned = (stanza: string) =>
      readText(`version: 1\nservices: { a: ${stanza} }\n`, { root: true }).warnings.map(({ code }) => code);
    expect(warned('{ command: x }')).toEqual(['runs-as-root']);
    expect(warned('{ command: x, user: "" }')).toEqual([]);
    expect(warned('{ command: x, user: "1000:1000" }')).toEqual([]);
  });
});

describe('tasks', () => {
  test('run once, with retries or the restart of Compose', () => {
    expect(runOf(read('{ type: task, command: x }'), 'a')).toMatchObject({ kind: 'task', retries: 0 });
    expect(runOf(read('{ type: task, command: x, retries: 2 }'), 'a')).toMatchObject({ retries: 2 });
    expect(runOf(read('{ type: task, command: x, restart: "no" }'), 'a')).toMatchObject({ retries: 0 });
    expect(runOf(read('{ type: task, command: x, restart: "on-failure:4" }'), 'a')).toMatchObject({
      retries: 4,
    });
  });
});

describe('database', () => {
  const text = (words: string) => `version: 1\nname: my-tools\ndatabase: ${words}\n`;

  test('alone it is a plan: cluster, database, setup', () => {
    const plan = planOf(readText(text('')));
    expect(plan.runs.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'task cluster',
      'service database',
      'task setup',
    ]);
    expect(plan.runs.every(({ critical }) => critical)).toBe(true);
    expect(plan.database).toEqual({
      name: 'my_tools',
      user: 'my_tools',
      password: undefined,
      port: 5432,
      systemUser: 'postgres',
      importFrom: undefined,
      sample: undefined,
      init: [],
      settings: {},
    });
  });

  test('is stopped by SIGINT to the leader alone, with its share of the total kept', () => {
    const stop = serviceOf(readText(text('')), 'database').stop;
    expect(stop).toEqual({
      rungs: [
        { signal: 'SIGINT', wait: 7000 },
        { signal: 'SIGQUIT', wait: 1000 },
        { signal: 'SIGKILL', wait: 2000 },
      ],
      target: 'leader',
      reserve: 4000,
    });
  });

  test('is asked on its socket, often until it first answers', () => {
    expect(serviceOf(readText(text('{ port: 6000 }')), 'database').healthcheck).toMatchObject({
      probe: { kind: 'postgres', host: '/run/bulkhead/pg', port: 6000 },
      startInterval: 50,
    });
  });

  test('runs as its system user; the cluster is made by root', () => {
    const users = planOf(readText(text('{ system_user: pg }'))).runs.map(({ user }) => user);
    expect(users).toEqual([undefined, 'pg', 'pg']);
  });

  test('init files count from the file that names them, in order', () => {
    const plan = planOf(
      readText(text('{ init: [sql/a.sql, /b.sql], settings: { work_mem: 8MB }, import: { from: /d.sql } }')),
    );
    expect(plan.database).toMatchObject({
      init: ['/sql/a.sql', '/b.sql'],
      settings: { work_mem: '8MB' },
      importFrom: '/d.sql',
    });
  });

  test('what is imported may be trusted, and replaced later, if the plan says so', () => {
    const words =
      '{ import: { mode: replace, trusted: true, trust_incomplete: true }, extensions: [vector] }';
    expect(planOf(readText(text(words))).database).toMatchObject({
      importMode: 'replace',
      importTrusted: true,
      importTrustsIncomplete: true,
      extensions: ['vector'],
    });
  });

  test('migrate is a task after setup, with DATABASE_URL', () => {
    const migrate = runOf(
      readText(text('{ migrate: { command: m, user: app, timeout: 5m, environment: { A: b } } }')),
      'migrate',
    );
    expect(migrate).toMatchObject({
      kind: 'task',
      user: 'app',
      startTimeout: 300_000,
      environment: { DATABASE_URL: { parts: [{ late: 'DATABASE_URL' }] }, A: 'b' },
    });
    expect(Object.keys(migrate.dependsOn)).toEqual(['database', 'setup']);
  });

  test('who only waits for its start waits for nothing more', () => {
    const plan = readText(`${text('')}services: { a: { command: x, depends_on: [database] } }\n`);
    expect(runOf(plan, 'a').dependsOn).toEqual({
      database: { condition: 'service_started', required: true },
    });
  });
});
