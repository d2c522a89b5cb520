import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BEGUN } from '../../src/api/operation-schemas.ts';
import { createOperations, type Task } from '../../src/api/operations.ts';
import { Problem } from '../../src/api/problem.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { hashOf } from '../../src/api/token-book.ts';
import type { RunOutput } from '../../src/protocol/control.ts';
import { type ApiTrial, apiTrial, BEARER, JSON_TYPE, OF_PLAN } from '../support/api.ts';
import { exampleProduct } from '../support/product.ts';

let trial: ApiTrial;
afterEach(() => trial.app.close());

const headers = { host: 'localhost', ...BEARER, ...JSON_TYPE };
const ask = (options: InjectOptions): Promise<Response> =>
  trial.app.inject({ ...options, headers: { ...headers, ...options.headers } });
const post = (url: string, payload: object = {}) => ask({ method: 'POST', url, payload });
const codeOf = (response: Response): string => `${response.statusCode} ${response.json().code}`;

/** A program that says all this at once. */
const saying = (...outputs: RunOutput[]) =>
  apiTrial({ program: () => [...outputs, { type: 'exit', code: 0 } as const] });

async function ended(id: string) {
  for (;;) {
    const view = (await ask({ url: `/operations/${id}` })).json();
    if (view.state !== 'running') return view;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What the routes want that begin one. */
const BODIES: Readonly<Record<string, object>> = {
  '/services/:name/scale': { replicas: 2 },
  '/backups': { what: 'base' },
  '/backups/restore': { backup: 'latest', confirm: 'latest' },
  '/database/import': { file: 'x.sql' },
  '/database/upgrade': { confirm: 'upgrade' },
  '/database/rollback': { confirm: 'rollback' },
};

describe('an operation', () => {
  test('that is over at once is answered whole', async () => {
    trial = saying({ type: 'note', text: 'slow disk' }, { type: 'result', value: { made: [] } });
    const answer = await post('/backups', { what: 'daily', level: 'files' });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      { kind: 'backup run', about: 'daily', state: 'done', actor: 'token main', notes: ['slow disk'] },
    ]);
    expect(answer.json().result).toEqual({ made: [] });
    expect(trial.asked).toEqual(['run backup {"what":"daily","level":"files"}']);
    expect(trial.said).toEqual([expect.stringMatching(/POST \/backups by token main .*: 200 operation /)]);
  });

  test('that takes longer is told where it is seen, how far it is and how it ends', async () => {
    const go = Promise.withResolvers<void>();
    trial = apiTrial({
      async *program() {
        yield { type: 'progress', progress: { what: 'dumping', percent: 40, detail: undefined } };
        await go.promise;
        yield { type: 'failure', message: 'cannot dump: the disk is full', remedy: 'free some space' };
        yield { type: 'exit', code: 1 };
      },
    });
    const begun = await post('/backups', { what: 'daily' });
    const { id } = begun.json();
    expect([begun.statusCode, begun.headers.location]).toEqual([202, `/operations/${id}`]);
    expect((await ask({ url: `/operations/${id}` })).json()).toMatchObject({
      state: 'running',
      progress: { what: 'dumping', percent: 40 },
    });
    go.resolve();
    expect(await ended(id)).toMatchObject({
      state: 'failed',
      endedAt: expect.any(String),
      failure: { code: 'failed', detail: 'cannot dump: the disk is full', remedy: 'free some space' },
    });
    expect((await ask({ url: '/operations' })).json().operations).toMatchObject([{ id }]);
    expect(codeOf(await post(`/operations/${id}/cancel`))).toBe('409 finished');
  });

  test('is ended by a cancel, and by nobody else’s', async () => {
    trial = apiTrial({
      async *program(_name, _input, signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        yield { type: 'exit', code: 143 };
      },
    });
    const { id } = (await post('/backups', { what: 'base' })).json();
    expect(codeOf(await post('/operations/7/cancel'))).toBe('404 unknown-operation');
    expect((await post(`/operations/${id}/cancel`)).statusCode).toBe(202);
    expect(await ended(id)).toMatchObject({ state: 'cancelled' });
  });

  test('is ended by the role that may begin it, whichever route that is', async () => {
    trial = apiTrial({
      posted: () => new Promise(() => {}),
      async *program(_name, _input, signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        yield { type: 'exit', code: 143 };
      },
    });
    const token = 'token-of-an-operator-long-enough';
    trial.tokens.add({ name: 'op', role: 'operator', sha256: hashOf(token).toString('hex') });
    const begun = ROUTES.filter(({ answers }) => answers[202] === BEGUN[202]);
    expect(begun.length).toBeGreaterThan(12);
    for (const { path, role } of begun) {
      const url = path.replace(/:\w+/, 'x');
      const view = (await post(url, BODIES[path])).json();
      expect([url, view.role]).toEqual([url, role]);
      const payload = {};
      const cancelled = await ask({
        method: 'POST',
        url: `/operations/${view.id}/cancel`,
        payload,
        headers: { authorization: `Bearer ${token}` },
      });
      expect([url, cancelled.statusCode]).toEqual([url, role === 'admin' ? 403 : 202]);
      if (role === 'admin') expect((await post(`/operations/${view.id}/cancel`)).statusCode).toBe(202);
    }
  });

  test('is told at most once a second, whatever is done to the clock of the machine', async () => {
    let mono = 0;
    let wall = 1_000_000;
    const operations = createOperations({ now: () => mono, wallClock: () => wall, graceMs: 0 });
    const seen: unknown[] = [];
    operations.follow(({ progress }) => progress && seen.push(progress.percent));
    const asker = { actor: 'token main', role: 'admin' } as const;
    const begun = Promise.withResolvers<Task>();
    const run = (task: Task): Promise<unknown> => {
      begun.resolve(task);
      return new Promise((resolve) => task.left.addEventListener('abort', resolve, { once: true }));
    };
    await operations.begin({ kind: 'x', run }, asker);
    const { progressed } = await begun.promise;
    for (const [percent, monoMs, wallMs] of [
      [1, 0, 0],
      [2, 500, 3_600_000],
      [3, 1000, -3_600_000],
      [4, 1500, 0],
      [5, 2000, -7_200_000],
    ] as const) {
      mono = monoMs;
      wall = 1_000_000 + wallMs;
      progressed({ what: 'x', percent, detail: undefined });
    }
    expect(seen).toEqual([1, 3, 5]);
    await operations.close();
  });

  test('that is refused at once is refused as a request is', async () => {
    trial = apiTrial({
      posted: () => {
        throw new Problem(404, 'unknown-service', 'cannot find service "nobody"');
      },
    });
    expect(codeOf(await post('/services/nobody/restart'))).toBe('404 unknown-service');
  });

  test('that PID 1 is not there for is told to come again', async () => {
    trial = apiTrial({
      posted: () => {
        throw new Problem(503, 'supervisor-away', 'it does not answer', { headers: { 'retry-after': '1' } });
      },
    });
    const answer = await post('/services/app/stop');
    expect([codeOf(answer), answer.headers['retry-after']]).toEqual(['503 supervisor-away', '1']);
  });

  test('that is under way while the API ends is told as such: who is sent away would begin a second one', async () => {
    const operations = createOperations({ now: () => 0, wallClock: () => 0, graceMs: 60_000 });
    const run = async ({ left }: Task): Promise<unknown> => {
      await new Promise((resolve) => left.addEventListener('abort', resolve, { once: true }));
      throw new Problem(503, 'supervisor-away', 'it hung up', { headers: { 'retry-after': '1' } });
    };
    const begun = operations.begin({ kind: 'backup run', run }, { actor: 'token main', role: 'admin' });
    await operations.close();
    expect(await begun).toMatchObject({ kind: 'backup run', state: 'running' });
  });

  test('is one of sixteen at most', async () => {
    const go = Promise.withResolvers<void>();
    trial = apiTrial({
      async *program() {
        await go.promise;
        yield { type: 'exit', code: 0 };
      },
    });
    const answers = await Promise.all(Array.from({ length: 17 }, () => post('/backups', { what: 'config' })));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([...Array(16).fill(202), 503]);
    go.resolve();
  });
});

describe('a service', () => {
  const change = (outcome: string, status: string) => ({
    schemaVersion: 1,
    changes: [{ name: 'app', outcome, after: { status, reason: 'exit 1' } }],
    exitCode: 0,
  });

  test.each([
    ['start', {}, '/v1/services/start {"names":["app"],"wait":true,"timeout":120000}'],
    ['stop', { timeout: '5s' }, '/v1/services/stop {"names":["app"],"wait":true,"timeout":5000}'],
    [
      'restart',
      { rolling: true },
      '/v1/services/restart {"names":["app"],"wait":true,"timeout":120000,"rolling":true,"dependents":false}',
    ],
    ['scale', { replicas: 3 }, '/v1/scale {"sizes":{"app":3},"wait":true,"timeout":120000}'],
  ])('%s is asked of PID 1', async (action, body, wanted) => {
    trial = apiTrial({ posted: () => change('changed', 'ready') });
    expect((await post(`/services/app/${action}`, body)).json()).toMatchObject({
      kind: action,
      state: 'done',
    });
    expect(trial.asked).toEqual([`POST ${wanted}`]);
  });

  test('that does not become ready is a failure, with why', async () => {
    trial = apiTrial({ posted: () => change('failed', 'backoff') });
    expect((await post('/services/app/start')).json()).toMatchObject({
      state: 'failed',
      failure: { detail: 'app is backoff: exit 1', remedy: 'see: GET /logs?service=app' },
    });
  });

  test('is shown by itself', async () => {
    trial = apiTrial();
    const [first] = exampleProduct().services;
    const shown = await ask({ url: `/services/${first?.name}` });
    expect(shown.json()).toMatchObject({ schemaVersion: 1, name: first?.name, status: first?.status });
    expect(codeOf(await ask({ url: '/services/nobody' }))).toBe('404 unknown-service');
  });
});

describe('what replaces something', () => {
  test.each([
    ['/backups/restore', { backup: 'latest' }, 'latest'],
    ['/backups/restore', { toTime: '10m' }, '10m'],
    ['/backups/restore', { toLatest: true }, 'latest'],
    ['/database/import', { file: 'x.sql', replace: true }, 'x.sql'],
    ['/database/upgrade', { to: 18 }, 'upgrade'],
    ['/database/rollback', { name: 'pg_17_old' }, 'pg_17_old'],
    ['/database/rollback', {}, 'rollback'],
  ])('%s %j needs an admin, and a second word', async (url, wish, confirm) => {
    trial = saying({ type: 'result', value: { ok: true } });
    for (const wrong of [wish, { ...wish, confirm: 'yes' }]) {
      const refused = await post(url, wrong);
      expect([codeOf(refused), refused.json().detail]).toEqual([
        '400 confirm-needed',
        `confirm must be "${confirm}": this replaces what is there`,
      ]);
    }
    const payload = { ...wish, confirm };
    const operator = { authorization: `Bearer ${OF_PLAN}` };
    expect(codeOf(await ask({ method: 'POST', url, payload, headers: operator }))).toBe('403 role-needed');
    expect(trial.asked).toEqual([]);
    expect((await post(url, payload)).json()).toMatchObject({ state: 'done' });
    expect(trial.asked).toHaveLength(1);
  });

  test('is tried without it, and only tried', async () => {
    trial = saying({ type: 'result', value: { dryRun: true } });
    await post('/backups/restore', { backup: 'latest', dryRun: true, replace: true, kind: 'assets' });
    expect(JSON.parse(trial.asked[0]?.replace('run command ', '') ?? '')).toEqual({
      command: 'backup restore',
      words: '["latest"]',
      options: '{"kind":"assets","replace":true,"dry-run":true}',
    });
  });

  test.each([
    [{}, '400 bad-request'],
    [{ backup: 'x', toLatest: true, confirm: 'x' }, '400 bad-request'],
    [{ backup: '../secrets', confirm: '../secrets' }, '400 bad-request'],
    [{ backup: '--yes', confirm: '--yes' }, '400 bad-request'],
  ])('is refused as %j', async (body, code) => {
    trial = saying();
    expect(codeOf(await post('/backups/restore', body))).toBe(code);
    expect(trial.asked).toEqual([]);
  });
});

test('events are told as a list to who wants no stream', async () => {
  trial = apiTrial();
  for (const text of ['1', '2', '3']) trial.announce(text);
  const list = async (query: string) =>
    (await ask({ url: `/events?follow=false${query}` })).json().events.map(({ seq }: { seq: number }) => seq);
  expect([await list(''), await list('&since=1'), await list('&tail=1'), await list('&service=app')]).toEqual(
    [[1, 2, 3], [2, 3], [3], []],
  );
});

describe('a look by a child', () => {
  test('is one for all who ask within a moment', async () => {
    trial = saying({ type: 'result', value: { schemaVersion: 1, ok: true, findings: [] } });
    const [first, second] = await Promise.all([ask({ url: '/doctor' }), ask({ url: '/doctor' })]);
    expect([first.json(), second.json()]).toEqual(
      Array(2).fill({ schemaVersion: 1, ok: true, findings: [] }),
    );
    await ask({ url: '/doctor' });
    expect(trial.asked).toHaveLength(1);
    trial.pass(3000);
    await ask({ url: '/doctor' });
    expect(trial.asked).toHaveLength(2);
  });

  test('is made anew once an operation has ended', async () => {
    trial = saying({ type: 'result', value: { schemaVersion: 1, ok: true } });
    await ask({ url: '/database' });
    await ask({ url: '/database' });
    await post('/backups', { what: 'config' });
    await ask({ url: '/database' });
    expect(trial.asked.map((text) => text.split(' ')[1])).toEqual([
      'database-status',
      'backup',
      'database-status',
    ]);
  });

  test('is one of two of those who show no token, and an admin waits for none of them', async () => {
    const go = Promise.withResolvers<void>();
    trial = apiTrial({
      async *program() {
        await go.promise;
        yield { type: 'result', value: { schemaVersion: 1, lines: [] } };
        yield { type: 'exit', code: 0 };
      },
    });
    const search = (word: string, given: Record<string, string> = {}) =>
      trial.app.inject({ url: `/logs?since=${word}`, headers: { host: 'localhost', ...given } });
    const two = ['a', 'b'].map((word) => search(word));
    await vi.waitUntil(() => trial.asked.length === 2);
    const refused = await search('c');
    expect([codeOf(refused), refused.headers['retry-after']]).toEqual(['503 busy', '2']);
    const admin = search('d', BEARER);
    await vi.waitUntil(() => trial.asked.length === 3);
    go.resolve();
    expect((await admin).statusCode).toBe(200);
    expect((await Promise.all(two)).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect((await search('c')).statusCode).toBe(200);
  });

  test('of all lines that are kept needs a token where it is a search', async () => {
    trial = saying({ type: 'result', value: { schemaVersion: 1, lines: [] } });
    const search = (given: Record<string, string>) =>
      trial.app.inject({ url: '/logs?grep=x', headers: { host: 'localhost', ...given } });
    expect(codeOf(await search({}))).toBe('401 unauthorized');
    expect(trial.asked).toEqual([]);
    expect((await search(BEARER)).statusCode).toBe(200);
  });

  test('that fails says why, and is asked for again', async () => {
    trial = apiTrial({
      program: () => [
        { type: 'failure', message: 'cannot use this configuration', remedy: 'mend it' },
        { type: 'exit', code: 6 },
      ],
    });
    for (const asked of [1, 2]) {
      const answer = await ask({ url: '/config/diff?before=core&after=full' });
      expect([codeOf(answer), answer.json().remedy]).toEqual(['422 invalid-configuration', 'mend it']);
      expect(trial.asked).toHaveLength(asked);
    }
  });

  test('that finds something bad has answered', async () => {
    trial = apiTrial({
      program: () => [
        { type: 'result', value: { schemaVersion: 1, ok: false, problems: [{}] } },
        { type: 'exit', code: 6 },
      ],
    });
    expect((await ask({ url: '/config/check' })).json()).toMatchObject({ ok: false });
  });

  test('goes through the files of the logs, newest lines last', async () => {
    const line = { time: '2026-01-01T00:00:00.000Z', service: 'app', stream: 'stdout', line: 'ERROR' };
    trial = saying({ type: 'result', value: line });
    const found = await ask({ url: '/logs?service=app,web&since=2h&grep=ERR&tail=7' });
    expect(found.json()).toEqual({ schemaVersion: 1, lines: [line] });
    expect(JSON.parse(trial.asked[0]?.replace('run command ', '') ?? '')).toEqual({
      command: 'logs',
      words: '["app","web"]',
      options: '{"since":"2h","grep":"ERR"}',
      keep: '7',
    });
  });
});
