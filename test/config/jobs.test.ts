import { describe, expect, test } from 'vitest';
import { diffPlans } from '../../src/config/diff-plans.ts';
import { settingLines } from '../../src/config/plan-lines.ts';
import { showPlan } from '../../src/config/show-plan.ts';
import { type Given, planOf, readText, serviceOf, spotsOf } from './reading.ts';

const DATABASE = 'database: { name: shop }\n';
const OUTSIDE = { DATABASE_URL: 'postgresql://shop:topsecretword@db.example.com/shop' };

/** One job called scrape, beside a service. */
function read(more = '', job = '{ command: [node, scrape.js] }', given: Given = {}) {
  return readText(`version: 1\nservices: { a: { command: [a] } }\njobs:\n  scrape: ${job}\n${more}`, given);
}

describe('jobs', () => {
  test('have every default', () => {
    const plan = planOf(read());
    expect(plan.jobs).toEqual({
      types: [
        {
          name: 'scrape',
          concurrency: 1,
          timeout: 900_000,
          retries: 2,
          retryDelay: 10_000,
          retryDelayMax: 600_000,
          priority: 0,
          singleton: false,
          requires: [],
        },
      ],
      store: 'memory',
      redisUrl: undefined,
      prefix: 'bulkhead',
      prefixIsDefault: true,
      requireDurable: false,
      concurrency: 1,
      maxWaiting: 100_000,
      keep: { completed: 604_800_000, failed: 2_592_000_000, most: 10_000 },
      drain: 1100,
      stopWithin: 2600,
      user: 'api',
    });
    expect(plan.attempts).toMatchObject([{ kind: 'attempt', name: 'scrape', nice: 10, critical: false }]);
    expect(plan.api).toEqual({
      host: '0.0.0.0',
      allowedHosts: [],
      tokens: [],
      readOnly: false,
      metrics: { app: undefined },
      user: 'api',
    });
  });

  test('bring the runs worker and api, which never end the container', () => {
    const reading = read(DATABASE);
    expect(serviceOf(reading, 'worker')).toMatchObject({
      work: { kind: 'program', program: 'worker' },
      critical: false,
      folders: ['/data/bulkhead/jobs'],
      dependsOn: { database: { condition: 'service_started', required: false } },
      restart: { policy: 'always', giveUp: undefined },
      user: 'api',
    });
    expect(serviceOf(reading, 'api')).toMatchObject({
      work: { kind: 'program', program: 'api' },
      critical: false,
      dependsOn: {},
      healthcheck: { probe: { kind: 'tcp', host: '127.0.0.1', port: 9701 } },
    });
  });

  test.each([
    [1, 8, 1],
    [4, 8, 2],
    [4, 1, 2],
    [16, 1.5, 3],
    [64, 4, 8],
  ])('with auto fit half of %i GB and %d processors: %i', (gigabytes, cpus, expected) => {
    const machine = { memory: gigabytes * 1024 ** 3, cpus };
    const job =
      '{ command: x, concurrency: "${MOST:-auto}", deploy: { resources: { limits: { memory: 1g } } } }';
    expect(planOf(read('', job, { machine })).jobs).toMatchObject({
      concurrency: expected,
      types: [{ concurrency: expected }],
    });
    expect(planOf(read('', job, { machine, env: { MOST: '7' } })).jobs?.concurrency).toBe(7);
  });

  test('with auto say how much memory one may use', () => {
    expect(spotsOf(read('', '{ command: x, concurrency: auto }'))).toEqual(['missing-word@4:25']);
  });

  test('say how their attempts run', () => {
    const plan = planOf(
      read(
        '',
        `{ command: x, user: scraper, folders: [/data/assets/logos], nice: 15, stop_grace_period: 20s, timeout: 0, singleton: tool,
           concurrency: 3, deploy: { resources: { limits: { memory: 512m } } }, requires: [] }`,
      ),
    );
    expect(plan.jobs?.types).toMatchObject([{ concurrency: 3, timeout: undefined, singleton: 'tool' }]);
    expect(plan.jobs?.concurrency).toBe(3);
    expect(plan.attempts).toMatchObject([
      {
        user: 'scraper',
        folders: ['/data/assets/logos'],
        nice: 15,
        memoryLimit: 512 * 1024 * 1024,
        stop: { rungs: [{ signal: 'SIGTERM', wait: 20_000 }, { signal: 'SIGKILL' }] },
      },
    ]);
  });

  test('a limit of the stop that is raised leaves jobs more of it', () => {
    const { jobs } = planOf(read('', undefined, { env: { BULKHEAD_STOP_TIMEOUT: '30s' } }));
    expect(jobs).toMatchObject({ drain: 5000, stopWithin: 11_000 });
  });

  test.each([
    ['a database: there', DATABASE, {}, 'postgres'],
    ['nothing: memory', '', {}, 'memory'],
    ['REDIS_URL: there', DATABASE, { REDIS_URL: 'redis://:hunter2hunter2@r/0' }, 'redis'],
    [
      'what is written beats REDIS_URL',
      `${DATABASE}queue: { store: postgres }\n`,
      { REDIS_URL: 'redis://r' },
      'postgres',
    ],
    ['a database outside: there', DATABASE, OUTSIDE, 'postgres'],
  ])('are kept where there is %s', (_, more, env, store) => {
    expect(planOf(read(more, undefined, { env })).jobs?.store).toBe(store);
  });

  test('a service may be called worker where there are none', () => {
    expect(planOf(readText('version: 1\nservices: { worker: { command: x } }\n')).jobs).toBeUndefined();
  });

  test('one that is off is none, and a queue without any has no effect', () => {
    expect(planOf(read('', '{ command: x, enabled: false }')).jobs?.types).toEqual([]);
    const { warnings } = readText('version: 1\nservices: { a: { command: x } }\nqueue: { drain: 1s }\n');
    expect(warnings.map(({ code }) => code)).toEqual(['idle-word']);
  });
});

describe('a container that only works on jobs', () => {
  const migrated = 'database: { name: shop, migrate: { command: [m] } }\n';

  test('has the database of DATABASE_URL, and none of its runs', () => {
    const plan = planOf(read(migrated, undefined, { env: { ...OUTSIDE, BULKHEAD_ONLY: 'worker' } }));
    expect(plan.runs.map(({ name }) => name)).toEqual(['worker']);
    expect(plan.database?.external?.url).toBe(OUTSIDE.DATABASE_URL);
    expect(plan.backups).toBeUndefined();
    expect(plan.api).toBeUndefined();
    expect(plan.runs[0]?.dependsOn).toEqual({});
  });

  test('is refused where the queue is in a database that is off', () => {
    const { problems } = read(migrated, undefined, { env: { BULKHEAD_ONLY: 'worker' } });
    expect(problems?.map(({ message }) => message)).toEqual([
      'jobs are kept in the database, which is off: not named by BULKHEAD_ONLY',
    ]);
  });

  test('leaves commands by the clock to the one with the database', () => {
    const schedules =
      'schedules: { s: { cron: "@daily", command: x }, t: { cron: "@daily", job: scrape } }\n';
    const only = { env: { ...OUTSIDE, BULKHEAD_ONLY: 'worker' } };
    expect(planOf(read(migrated + schedules, undefined, only)).schedules.map(({ off }) => off)).toEqual([
      'the database is elsewhere: not named by BULKHEAD_ONLY',
      undefined,
    ]);
    const without = { env: { ...OUTSIDE, BULKHEAD_DISABLE: 'worker' } };
    expect(planOf(read(migrated + schedules, undefined, without)).schedules.map(({ off }) => off)).toEqual([
      undefined,
      'worker is off: switched off by BULKHEAD_DISABLE',
    ]);
  });
});

describe('the API', () => {
  test('does not open to a token that could be guessed', () => {
    const weak = read('', undefined, { env: { BULKHEAD_TOKEN: 'short' } });
    expect(weak.problems?.map(({ message }) => message)).toEqual([
      'BULKHEAD_TOKEN has 5 characters, and the API needs 20',
    ]);
    const off = read('api: { enabled: false }\n', undefined, { env: { BULKHEAD_TOKEN: 'short' } });
    expect(off.problems).toBeUndefined();
  });

  test('leaves four names to itself', () => {
    const { problems } = readText('version: 1\njobs: { status: { command: x }, pause: { command: x } }\n');
    expect(problems?.map(({ code }) => code)).toEqual(['reserved-name', 'reserved-name']);
  });

  test('is off where it says so, and on where somebody asks for it by name', () => {
    const off = read('api: { enabled: false }\n');
    expect(planOf(off).api).toBeUndefined();
    expect(planOf(off).disabled).toEqual([{ name: 'api', why: 'api.enabled is false' }]);
    const on = read('api: { enabled: false }\n', undefined, { env: { BULKHEAD_ENABLE: 'api' } });
    expect(planOf(on).api).toBeDefined();
  });

  test('has tokens beside the main one, whose values nobody is shown', () => {
    const text =
      'api: { tokens: { deploy: { role: operator, token: "${DEPLOY_TOKEN}" }, none: { role: viewer, token: "${NONE:-}" } } }\n';
    const value = 'a-token-that-is-long-enough';
    const plan = planOf(read(text, undefined, { env: { DEPLOY_TOKEN: value } }));
    expect(plan.api?.tokens).toEqual([{ name: 'deploy', role: 'operator', token: value }]);
    expect(JSON.stringify(settingLines(plan))).not.toContain(value);
    const changed = planOf(read(text, undefined, { env: { DEPLOY_TOKEN: `${value}-2` } }));
    expect(diffPlans(plan, changed).settings.map(({ path }) => path)).toEqual(['api.tokens.deploy.token']);
  });

  test('has no token that is BULKHEAD_TOKEN as well, which would open everything', () => {
    const value = 'a-token-that-is-long-enough';
    const text = 'api: { tokens: { grafana: { role: viewer, token: "${GRAFANA_TOKEN}" } } }\n';
    const { problems } = read(text, undefined, { env: { BULKHEAD_TOKEN: value, GRAFANA_TOKEN: value } });
    expect(problems).toMatchObject([
      {
        code: 'wrong-value',
        line: expect.any(Number),
        message: "api.tokens.grafana is the same as BULKHEAD_TOKEN, an admin's",
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain(value);
  });

  test.each([
    ['{ a: { role: viewer, token: short } }', 'weak-token'],
    ['{ main: { role: viewer, token: a-token-that-is-long-enough } }', 'reserved-name'],
    ['{ a: { role: root, token: a-token-that-is-long-enough } }', 'wrong-value'],
    ['{ a: { role: viewer } }', 'missing-word'],
    [
      '{ a: { role: viewer, token: a-token-that-is-long-enough }, b: { role: admin, token: a-token-that-is-long-enough } }',
      'wrong-value',
    ],
  ])('refuses the tokens %s', (tokens, code) => {
    const { problems } = read(`api: { tokens: ${tokens} }\n`);
    expect(problems?.map((problem) => problem.code)).toEqual([code]);
  });

  test('may be there without jobs', () => {
    const text = 'version: 1\nservices: { a: { command: x } }\napi: { enabled: true, host: "::1" }\n';
    expect(serviceOf(readText(text), 'api').healthcheck?.probe).toMatchObject({ host: '::1', port: 9701 });
  });
});

describe('schedules that add a job', () => {
  test('carry its data as JSON', () => {
    const plan = planOf(
      read(
        `schedules:\n  s: { cron: "@daily", job: scrape, data: { tool: 7, name: "7", deep: [true, null, x], url: "\${WHERE:-}" } }\n`,
      ),
    );
    expect(plan.schedules).toMatchObject([
      {
        run: undefined,
        job: { type: 'scrape', data: { tool: 7, name: '7', deep: [true, null, 'x'], url: '' } },
      },
    ]);
  });

  test('may be called as the job', () => {
    expect(planOf(read('schedules: { scrape: { cron: "@daily", job: scrape } }\n')).schedules).toHaveLength(
      1,
    );
  });

  test('are not blamed for what is wrong with the job', () => {
    const schedule = 'schedules: { s: { cron: "@daily", job: scrape } }\n';
    expect(spotsOf(read(schedule, '{ comand: x }'))).toEqual(['unknown-key@4:13']);
    expect(planOf(read(schedule, '{ command: x, enabled: false }')).schedules[0]?.off).toBe(
      'jobs.scrape.enabled is false',
    );
  });

  test('of a job nobody has name both places, for either may be mistyped', () => {
    const { problems = [] } = read('schedules: { s: { cron: "@daily", job: scrap } }\n');
    expect(problems.map(({ line, suggestion }) => [line, suggestion])).toEqual([
      [5, expect.stringMatching(/^did you mean "scrape"\? or, .* jobs\.scrap at \S+:4$/)],
    ]);
  });

  test('hold nothing that is known only at start, and no more than the queue takes', () => {
    const late = 'schedules: { s: { cron: "@daily", job: scrape, data: { u: "${NEXTAUTH_SECRET}" } } }\n';
    expect(spotsOf(read(late))).toEqual(['late-value@5:59']);
    const large = `schedules: { s: { cron: "@daily", job: scrape, data: ${'x'.repeat(70_000)} } }\n`;
    expect(read(large).problems?.[0]?.message).toMatch(/at most 64 KB/);
  });
});

describe('the names of keys in Redis', () => {
  const redis = { env: { REDIS_URL: 'redis://r' } };

  test('begin with the name of the plan, or with what it says', () => {
    const shop = `${DATABASE}name: my-shop\n`;
    expect(planOf(read(shop, undefined, redis)).jobs).toMatchObject({
      prefix: 'bulkhead-my-shop',
      prefixIsDefault: true,
    });
    const said = planOf(read('queue: { prefix: shop.staging_2 }\n', undefined, redis));
    expect(said.jobs).toMatchObject({ prefix: 'shop.staging_2', prefixIsDefault: false });
    for (const bad of ['a:b', '-a', "a'b", 'x'.repeat(65)]) {
      expect(spotsOf(read(`queue: { prefix: ${bad} }\n`, undefined, redis))).toHaveLength(1);
    }
  });

  test('are warned of where nothing tells two products of one name apart', () => {
    const codes = (more: string, given: Given) =>
      read(more, undefined, given).warnings.map(({ code }) => code);
    expect(codes('', redis)).toEqual(['shared-prefix']);
    expect(codes('queue: { prefix: a }\n', redis)).toEqual([]);
    expect(codes(DATABASE, redis)).toEqual([]);
    expect(codes('', {})).toEqual([]);
  });
});

describe('what is shown', () => {
  const secret = {
    REDIS_URL: 'redis://:hunter2hunter2@r/0',
    SCRAPER_TOKEN: 'very secret token',
  };
  const job = '{ command: x, environment: [SCRAPER_TOKEN] }';

  test('has jobs, queue and API, and no secret', () => {
    const reading = read('queue: { drain: 1s }\n', job, { env: secret });
    const shown = reading.plan ? showPlan(reading.plan, reading.provenance, { color: false }) : '';
    expect(shown).toMatchSnapshot();
    for (const value of [...Object.values(secret), 'hunter2']) expect(shown).not.toContain(value);
  });

  test('a change of any of it is a difference, also of a secret', () => {
    const before = planOf(read('', job, { env: secret }));
    const after = planOf(
      read('api: { read_only: true }\n', job.replace('}', ', concurrency: 2 }'), {
        env: { REDIS_URL: 'redis://other', SCRAPER_TOKEN: 'another secret' },
      }),
    );
    expect(diffPlans(before, after).settings.map(({ path }) => path)).toEqual([
      'queue.concurrency',
      'jobs.scrape.concurrency',
      'api.read_only',
      'queue.redis_url',
      'jobs.scrape.environment.SCRAPER_TOKEN',
    ]);
  });
});
