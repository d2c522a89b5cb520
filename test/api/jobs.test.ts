import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apiPage } from '../../src/api/reference.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { type ApiTrial, apiTrial, BEARER, JSON_TYPE, TYPES } from '../support/api.ts';
import { refuse } from '../support/fake-queue.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';

let trial: ApiTrial;
beforeEach(() => {
  trial = apiTrial();
});
afterEach(() => trial.app.close());

const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true, uuid: true } });
const openapi = async () => (await trial.app.inject({ url: '/api/openapi.json', headers: BEARER })).json();

/** Asks with the token; whatever comes back must be what the description promises. */
async function ask(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  more: InjectOptions = {},
): Promise<Response> {
  const type = method === 'GET' ? {} : JSON_TYPE;
  const response = await trial.app.inject({
    method,
    url,
    ...more,
    headers: { ...BEARER, ...type, ...more.headers },
  });
  await expectDescribed(method, url, response);
  return response;
}

async function expectDescribed(method: string, url: string, response: Response): Promise<void> {
  const path = url.split('?')[0] ?? '';
  const route = ROUTES.filter((each) => each.method === method)
    .toSorted((a, b) => a.path.split(':').length - b.path.split(':').length)
    .find((each) => new RegExp(`^${each.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(path));
  // Each type is described by itself; whatever else is asked for is answered as any of them.
  const shown = (route?.path ?? '').replace(
    '/jobs/:type',
    TYPES.includes(path.slice(6)) ? path : '/jobs/scrape',
  );
  const described = (await openapi()).paths[shown.replaceAll(/:(\w+)/g, '{$1}')];
  const answer = described[method.toLowerCase()].responses[response.statusCode];
  expect(answer, `${method} ${url} → ${response.statusCode} is described`).toBeDefined();
  if (response.statusCode === 204) return;
  const type = response.headers['content-type']?.toString().split(';')[0] ?? '';
  const { schema } = answer.content[type];
  const { components } = await openapi();
  const check = ajv.compile({ ...schema, components });
  expect(check(response.json()), JSON.stringify(check.errors)).toBe(true);
}

const run = (type = 'scrape', payload: object = {}, headers: Record<string, string> = {}) =>
  ask('POST', `/jobs/${type}`, { payload, headers });

describe('POST /jobs/TYPE', () => {
  test('adds a job and says where it is', async () => {
    const body = {
      data: { tool: 7 },
      priority: 5,
      startAfter: '2030-01-01T00:00:00Z',
      singletonKey: 'tool-7',
    };
    const response = await run('scrape', body);
    expect(response.statusCode).toBe(202);
    const job = response.json();
    expect(response.headers).toMatchObject({
      location: `/jobs/${job.id}`,
      'x-bulkhead-durability': 'durable',
    });
    expect(job).toMatchObject({
      schemaVersion: 1,
      type: 'scrape',
      state: 'created',
      durability: 'durable',
      ...body,
    });
    expect(trial.queue.asked).toEqual([{ op: 'add', type: 'scrape', ...body }]);
    expect((await ask('GET', `/jobs/${job.id}`)).json()).toEqual(job);
  });

  test.each(['scrape-all', 'backup'])('knows %s, needs no body', async (type) => {
    expect((await ask('POST', `/jobs/${type}`)).statusCode).toBe(202);
    expect((await ask('POST', `/jobs/${type}`, { payload: '' })).statusCode).toBe(202);
  });

  test('with the same Idempotency-Key is the same job', async () => {
    const first = await run('scrape', {}, { 'idempotency-key': 'order 1' });
    const again = await run('scrape', {}, { 'idempotency-key': 'order 1' });
    expect([first.statusCode, again.statusCode]).toEqual([202, 200]);
    expect(again.json().id).toBe(first.json().id);
    expect(again.headers.location).toBe(first.headers.location);
  });

  test.each(['', ' ', 'x'.repeat(201), 'no\ttab', 'ümlaut'])(
    'refuses the Idempotency-Key %j',
    async (key) => {
      expect((await run('scrape', {}, { 'idempotency-key': key })).statusCode).toBe(400);
    },
  );

  test('of a singleton that waits or runs answers 409 with it', async () => {
    const { id } = (await run('scrape', { singletonKey: 'a' })).json();
    const response = await run('scrape', { singletonKey: 'a' });
    expect(response.statusCode).toBe(409);
    expect(response.json()).toMatchObject({ code: 'singleton', jobId: id });
  });

  test('of what is no type answers 404', async () => {
    expect((await run('scrap')).json()).toMatchObject({ status: 404, code: 'unknown-type' });
  });

  test.each([
    [{ tool: 7 }, 'body: unknown key "tool"'],
    [{ priority: '5' }, 'body.priority: must be integer'],
    [
      { startAfter: 'tomorrow' },
      'body.startAfter: must be a date and time with its zone, as 2026-11-21T08:00:00Z',
    ],
    [{ startAfter: '2026-02-30T25:00:00Z' }, 'body.startAfter: must be'],
    [{ singletonKey: '' }, 'body.singletonKey: must NOT have fewer than 1 characters'],
    [[], 'body: must be object'],
    ['7', 'body: must be object'],
    ['{"data":', 'the body is not JSON'],
    ['{"__proto__":{"x":1}}', 'the body is not JSON'],
  ])('refuses the body %j', async (payload, detail) => {
    const response = await ask('POST', '/jobs/scrape', { payload });
    expect(response.json()).toMatchObject({ status: 400, code: 'bad-request' });
    expect(response.json().detail).toContain(detail);
    expect(trial.queue.asked).toEqual([]);
  });

  test.each([
    [{ tool: 7 }, '#/tool', /^what the job is about stands under data: \{"data": /],
    [{ 'a/b~': 7 }, '#/a~1b~0', /stands under data/],
    [{ startafter: '' }, '#/startafter', /^did you mean "startAfter"\?$/],
    [{ priority: '5' }, '#/priority', undefined],
  ])('says of the body %j where it is wrong, and what helps', async (payload, pointer, hint) => {
    const { errors, remedy } = (await ask('POST', '/jobs/scrape', { payload })).json();
    expect(errors[0]).toMatchObject({
      pointer,
      ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) }),
    });
    expect(remedy).toContain(errors[0].hint ?? 'openapi.json');
  });

  test('with an Idempotency-Key that was used for another request answers 422 with that job', async () => {
    trial.queue.refusal = { ...refuse('key-reused', 'this key was used'), jobId: NOBODY };
    const response = await run('scrape', { data: 2 }, { 'idempotency-key': 'k' });
    expect(response.statusCode).toBe(422);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ code: 'key-reused', status: 422, jobId: NOBODY });
  });

  test('takes data of 64 KB, and no body of much more', async () => {
    expect((await run('scrape', { data: 'x'.repeat(64 * 1024 - 2) })).statusCode).toBe(202);
    const response = await run('scrape', { data: 'x'.repeat(70 * 1024) });
    expect(response.json()).toMatchObject({ status: 413, code: 'too-large' });
  });

  test('takes no brackets without end, and nobody is told to come again with them', async () => {
    const payload = `{"data":${'['.repeat(9000)}${']'.repeat(9000)}}`;
    expect((await ask('POST', '/jobs/scrape', { payload })).statusCode).toBe(400);
  });

  test('of a schedule runs that now', async () => {
    const response = await run('nightly');
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ schemaVersion: 1, name: 'nightly' });
    expect(trial.asked).toEqual(['POST /v1/schedules/run {"name":"nightly","wait":true}']);
    expect((await run('nightly', { data: 1 })).json()).toMatchObject({ status: 400, code: 'bad-request' });
  });

  test('of a schedule needs no worker', async () => {
    trial.queue.refusal = refuse('worker-away', 'no worker runs');
    expect((await run('nightly')).statusCode).toBe(202);
  });
});

describe('GET /jobs', () => {
  test('gives pages, newest first', async () => {
    for (let job = 0; job < 5; job += 1) await run();
    const first = (await ask('GET', '/jobs?limit=3')).json();
    const second = (await ask('GET', `/jobs?limit=3&cursor=${first.cursor}`)).json();
    expect([first.jobs.length, second.jobs.length, second.cursor]).toEqual([3, 2, undefined]);
    expect([...first.jobs, ...second.jobs].map(({ id }) => id)).toEqual(
      trial.queue.jobs.map(({ id }) => id).reverse(),
    );
  });

  test('asks for states and a type', async () => {
    await run('backup');
    await run();
    await ask('GET', '/jobs?state=created,retry&state=active&type=backup');
    expect(trial.queue.asked.at(-1)).toEqual({
      op: 'list',
      state: ['created', 'retry', 'active'],
      type: 'backup',
      limit: 50,
    });
  });

  test.each(['limit=0', 'limit=201', 'limit=many', 'state=running', 'typ=scrape', 'cursor='])(
    'refuses %s',
    async (query) => {
      expect((await ask('GET', `/jobs?${query}`)).json()).toMatchObject({ status: 400, code: 'bad-request' });
    },
  );
});

describe('one job', () => {
  test('that waits is cancelled at once, one that runs later, one that ended no more', async () => {
    const { id } = (await run()).json();
    trial.queue.set(id, { state: 'active', startedAt: '2026-01-01T00:00:00Z', progress: { percent: 10 } });
    const running = await ask('POST', `/jobs/${id}/cancel`);
    expect([running.statusCode, running.json().cancelRequested]).toEqual([202, true]);
    trial.queue.set(id, { state: 'created' });
    const waiting = await ask('POST', `/jobs/${id}/cancel`);
    expect([waiting.statusCode, waiting.json().state]).toEqual([200, 'cancelled']);
    expect((await ask('POST', `/jobs/${id}/cancel`)).json()).toMatchObject({ status: 409, code: 'finished' });
  });

  test('is deleted, or cancelled where it runs', async () => {
    const { id } = (await run()).json();
    trial.queue.set(id, { state: 'active' });
    expect((await ask('DELETE', `/jobs/${id}`)).statusCode).toBe(202);
    trial.queue.set(id, { state: 'cancelled' });
    expect((await ask('DELETE', `/jobs/${id}`)).statusCode).toBe(204);
    expect((await ask('DELETE', `/jobs/${id}`)).json()).toMatchObject({ status: 404, code: 'unknown-job' });
  });

  test('is retried when it has ended', async () => {
    const { id } = (await run()).json();
    expect((await ask('POST', `/jobs/${id}/retry`)).json()).toMatchObject({
      status: 409,
      code: 'not-finished',
    });
    trial.queue.set(id, { state: 'failed', failure: { reason: 'exit', message: 'exit 1' } });
    const again = await ask('POST', `/jobs/${id}/retry`);
    expect([again.statusCode, again.json().state]).toEqual([202, 'created']);
  });

  test.each([NOBODY, 'x', '1%20OR%201', '..%2fstatus', 'ä'])('%s is none', async (id) => {
    const url = `/jobs/${encodeURI(decodeURI(id))}`;
    expect((await ask('GET', url)).json()).toMatchObject({ status: 404, code: 'unknown-job' });
    expect(trial.queue.asked.length).toBe(id === NOBODY ? 1 : 0);
  });
});

describe('the queue', () => {
  test('is told, paused, resumed and redriven, as a whole or of one type', async () => {
    expect((await ask('GET', '/jobs/status')).json()).toMatchObject({
      paused: false,
      counts: { created: 0 },
    });
    expect((await ask('POST', '/jobs/pause')).json()).toMatchObject({ paused: true });
    expect((await ask('POST', '/jobs/resume')).json()).toMatchObject({ paused: false });
    const paused = await ask('POST', '/jobs/pause', { payload: { type: 'scrape' } });
    expect(paused.json().byType.scrape.paused).toBe(true);
    const { id } = (await run()).json();
    trial.queue.set(id, { state: 'failed', deadLetter: true });
    expect((await ask('POST', '/jobs/redrive', { payload: { type: 'scrape' } })).json().count).toBe(1);
  });

  test('says how well it keeps jobs in every answer', async () => {
    trial.queue.durability = 'journaled';
    const { id } = (await run()).json();
    for (const [method, url] of [
      ['GET', '/jobs/status'],
      ['GET', '/jobs'],
      ['GET', `/jobs/${NOBODY}`],
      ['GET', '/jobs?limit=x'],
      ['POST', `/jobs/${id}/retry`],
      ['DELETE', `/jobs/${id}`],
    ] as const) {
      expect((await ask(method, url)).headers['x-bulkhead-durability']).toBe('journaled');
    }
  });

  test.each([
    ['worker-away', 503, '1'],
    ['full', 503, '10'],
    ['not-durable', 503, '5'],
    ['too-large', 413, undefined],
  ] as const)('that is %s answers %i', async (code, status, retryAfter) => {
    trial.queue.refusal = refuse(code, 'no');
    const response = await run();
    expect(response.json()).toMatchObject({ status, code });
    expect(response.headers['retry-after']).toBe(retryAfter);
    trial.queue.refusal = { ...refuse(code, 'no'), retryAfter: 2.5 };
    expect((await run()).headers['retry-after']).toBe('3');
  });
});

describe('the rest', () => {
  test.each(['/status', '/services', '/schedules', '/logs?tail=5&service=app'])(
    'GET %s is as described',
    async (url) => {
      expect((await ask('GET', url)).statusCode).toBe(200);
    },
  );

  test('logs asks for the lines of some services', async () => {
    expect((await ask('GET', '/logs?service=app,database')).json().lines).toHaveLength(2);
    expect(trial.asked).toEqual(['GET /v1/logs?tail=100&service=app&service=database']);
    expect((await ask('GET', '/logs?service=nobody')).json()).toMatchObject({
      status: 404,
      code: 'unknown-service',
    });
  });

  test('logs are those of one job where one is named', async () => {
    const { lines } = (await ask('GET', '/logs?tail=5&job=11111111-0000-4000-8000-000000000001')).json();
    expect(lines).toMatchObject([{ job: '00000001', line: 'of a job' }]);
    expect(trial.asked).toEqual(['GET /v1/logs?']);
  });

  test('a schedule runs when asked, and what came of it at once is told', async () => {
    expect((await ask('POST', '/schedules/nightly/run')).statusCode).toBe(202);
    const time = '2026-01-01T00:00:00.000Z';
    trial.runEnd = { startedAt: time, endedAt: time, ok: true, reason: 'added scrape-all 1f2e3d4c' };
    expect((await ask('POST', '/schedules/nightly/run')).json().end.reason).toBe('added scrape-all 1f2e3d4c');
    trial.runEnd = { ...trial.runEnd, ok: false, reason: 'no worker runs' };
    expect((await ask('POST', '/schedules/nightly/run')).json()).toMatchObject({
      status: 502,
      code: 'run-failed',
      detail: 'nightly failed: no worker runs',
    });
  });

  test('a wrong method is told the right ones', async () => {
    const response = await trial.app.inject({
      method: 'PUT',
      url: '/jobs/scrape',
      headers: { ...BEARER, ...JSON_TYPE },
    });
    expect(response.json()).toMatchObject({ status: 405, code: 'bad-method' });
    expect(response.headers.allow).toBe('GET, POST, DELETE');
  });

  test('the description names every route, once', async () => {
    const { openapi: version, paths } = await openapi();
    expect(version).toBe('3.1.0');
    const described = Object.entries<object>(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const served = ROUTES.map(({ method, path }) => `${method} ${path}`).filter(
      (each) => !each.endsWith('/:type'),
    );
    expect(described.sort()).toEqual([...served, ...TYPES.map((type) => `POST /jobs/${type}`)].sort());
    // OpenAPI 3.1, "Paths Object": templated paths that differ only in the name of what they hold are the same path.
    const shapes = Object.keys(paths).map((path) => path.replaceAll(/\{\w+\}/g, '{}'));
    expect(new Set(shapes).size).toBe(shapes.length);
    const ids = Object.values<Record<string, { operationId: string }>>(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('docs/api.md is the page the routes make (npm run schema)', () => {
    expect(readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')).toBe(apiPage());
  });
});
