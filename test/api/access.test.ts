import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAudit } from '../../src/api/audit.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { hashOf } from '../../src/api/token-book.ts';
import { ROLES, type Role } from '../../src/config/roles.ts';
import { type ApiTrial, apiTrial, BEARER, JSON_TYPE, OF_PLAN, TOKEN } from '../support/api.ts';

const STRANGER = '192.0.2.7';
const HOST = 'localhost:9701';
const CONSOLE = { ...JSON_TYPE, 'x-bulkhead-console': '1', origin: `http://${HOST}` };

let trial: ApiTrial;
beforeEach(() => {
  trial = apiTrial();
});
afterEach(() => trial.app.close());

function ask(options: InjectOptions, api: ApiTrial = trial): Promise<Response> {
  return api.app.inject({
    remoteAddress: STRANGER,
    ...options,
    headers: { host: HOST, ...options.headers },
  });
}

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const codeOf = (response: Response): string => `${response.statusCode} ${response.json().code}`;

function give(name: string, role: Role, expiresAt?: string): string {
  const token = `token-of-${name}-that-is-long-enough`;
  const sha256 = hashOf(token).toString('hex');
  trial.tokens.add({ name, role, sha256, ...(expiresAt === undefined ? {} : { expiresAt }) });
  return token;
}

describe('a role', () => {
  test('is what every route declares, and what its description tells', async () => {
    const { paths } = (await ask({ url: '/api/openapi.json', headers: BEARER })).json();
    for (const { method, path, role } of ROUTES) {
      expect(['anybody', ...ROLES]).toContain(role);
      // Nobody who only looks changes anything.
      if (method !== 'GET' && path !== '/session') expect(role).not.toBe('viewer');
      const name = path.replace(':type', 'scrape').replaceAll(/:(\w+)/g, '{$1}');
      expect(paths[name][method.toLowerCase()]['x-role']).toBe(role);
    }
  });

  test.each([
    ['viewer', 200, '403 role-needed', '403 role-needed'],
    ['operator', 200, 202, '403 role-needed'],
    ['admin', 200, 202, 200],
  ] as const)('%s may so much', async (role, sees, changes, governs) => {
    const headers = { ...JSON_TYPE, ...as(give('one', role)) };
    const answers = [
      await ask({ url: '/status', headers }),
      await ask({ method: 'POST', url: '/jobs/scrape', headers }),
      await ask({ url: '/tokens', headers }),
    ];
    expect(answers.map((each) => (each.statusCode === 403 ? codeOf(each) : each.statusCode))).toEqual([
      sees,
      changes,
      governs,
    ]);
  });

  test('is asked of HEAD as of GET', async () => {
    const head = (role: Role) =>
      ask({ method: 'HEAD', url: '/tokens', headers: as(give(`head-${role}`, role)) });
    expect((await head('viewer')).statusCode).toBe(403);
    trial.pass(1000);
    expect((await head('admin')).statusCode).toBe(200);
  });

  test('that is too small is told which would do, and nothing is done', async () => {
    const headers = { ...JSON_TYPE, ...as(give('grafana', 'viewer')) };
    const refused = await ask({ method: 'POST', url: '/jobs/scrape', headers });
    expect(refused.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(refused.json()).toMatchObject({
      status: 403,
      role: 'operator',
      detail: 'this needs the role operator; token grafana is a viewer',
      remedy: expect.stringContaining('bulkhead token create NAME --role operator'),
    });
    expect(trial.queue.asked).toEqual([]);
    expect(trial.said).toEqual([
      expect.stringMatching(/^audit: POST \/jobs\/scrape by token grafana from .*: 403$/),
    ]);
  });

  test('of the loopback is a viewer’s: more needs a token', async () => {
    const refused = await ask({ url: '/tokens', remoteAddress: '127.0.0.1' });
    expect([codeOf(refused), refused.json().detail]).toEqual([
      '401 unauthorized',
      'a token of the role admin is needed',
    ]);
  });
});

describe('a token', () => {
  test('of the plan opens by its own name', async () => {
    await ask({ method: 'POST', url: '/jobs/scrape', headers: { ...JSON_TYPE, ...as(OF_PLAN) } });
    expect(trial.said).toEqual([expect.stringContaining('by token of-plan from 192.0.2.7: 202')]);
  });

  test('that was made later opens at once, and once revoked nothing within a second', async () => {
    const token = 'token-of-late-that-is-long-enough';
    expect(codeOf(await ask({ url: '/status', headers: as(token) }))).toBe('401 unauthorized');
    give('late', 'viewer');
    trial.pass(1000);
    expect((await ask({ url: '/status', headers: as(token) })).statusCode).toBe(200);
    trial.tokens.remove('late');
    trial.pass(1000);
    expect(codeOf(await ask({ url: '/status', headers: as(token) }))).toBe('401 unauthorized');
  });

  test('opens nothing when its time is over', async () => {
    const headers = as(give('short', 'viewer', '2026-01-01T00:01:00.000Z'));
    expect((await ask({ url: '/status', headers })).statusCode).toBe(200);
    trial.pass(60_000);
    expect(codeOf(await ask({ url: '/status', headers }))).toBe('401 unauthorized');
  });

  test('is looked up at most once a second, however many are tried', async () => {
    for (let tries = 0; tries < 8; tries += 1) await ask({ url: '/status', headers: as(`wrong-${tries}`) });
    expect(trial.tokenReads).toBe(1);
  });

  test('is made with a value that is told once, and asked of PID 1 by its hash', async () => {
    await trial.app.close();
    trial = apiTrial({ posted: (_path, body) => ({ ...body, from: 'volume' }) });
    const made = await ask({
      method: 'POST',
      url: '/tokens',
      headers: { ...JSON_TYPE, ...BEARER },
      payload: { name: 'deploy', role: 'operator', expires: '30d' },
    });
    const { token, ...told } = made.json();
    expect([made.statusCode, told.expiresAt]).toEqual([201, '2026-01-31T00:00:00.000Z']);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(trial.asked).toEqual([expect.stringContaining(hashOf(token).toString('hex'))]);
    expect(`${trial.asked} ${trial.said}`).not.toContain(token);
    expect(trial.said).toEqual([expect.stringMatching(/POST \/tokens by token main .* 201 token deploy$/)]);
  });
});

describe('a login', () => {
  const login = (headers: Record<string, string> = {}, token = TOKEN) =>
    ask({ method: 'POST', url: '/session', headers: { ...JSON_TYPE, ...headers }, payload: { token } });
  const cookieOf = (response: Response): string =>
    String(response.headers['set-cookie']).split(';', 1)[0] ?? '';

  test('gives a cookie that no script reads and no other site sends', async () => {
    const plain = await login({ origin: `http://${HOST}` });
    expect(plain.json()).toMatchObject({ name: 'main', role: 'admin', by: 'session', readOnly: false });
    expect(plain.headers['set-cookie']).toMatch(
      /^bulkhead=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    const behindTls = await login({
      origin: 'https://box.lan',
      host: 'box.lan',
      'x-forwarded-proto': 'https',
    });
    expect(behindTls.headers['set-cookie']).toMatch(/^__Host-bulkhead=[\w-]{43}; Path=\/; .*; Secure$/);
    expect(trial.said).toEqual(Array(2).fill(expect.stringContaining('POST /session by token main')));
    expect(trial.said.join()).not.toContain(TOKEN);
  });

  test('stands for its token, streams and names that are not ours included', async () => {
    const cookie = cookieOf(
      await login({ host: 'nas.lan', origin: 'http://nas.lan' }, give('eve', 'viewer')),
    );
    expect((await ask({ url: '/status', headers: { cookie, host: 'nas.lan' } })).statusCode).toBe(200);
    expect((await ask({ url: '/session', headers: { cookie } })).json()).toMatchObject({
      name: 'eve',
      role: 'viewer',
      by: 'session',
      endsAt: '2026-01-01T12:00:00.000Z',
    });
    expect(codeOf(await ask({ url: '/tokens', headers: { cookie } }))).toBe('403 role-needed');
  });

  test('takes its streams with it when it ends', async () => {
    await trial.app.close();
    trial = apiTrial({ pingMs: 5 });
    const cookie = cookieOf(await login({}, give('eve', 'viewer')));
    // Its answer has come whole when the stream has ended.
    const listening = ask({ url: '/events', headers: { cookie } });
    await vi.waitFor(() => expect(trial.asked).toContainEqual(expect.stringContaining('follow')));
    await ask({ method: 'DELETE', url: '/session', headers: { cookie, ...CONSOLE } });
    expect((await listening).body).toContain('retry: ');
  });

  test('with a wrong token is counted, and never keeps the right one out', async () => {
    for (let tries = 0; tries < 10; tries += 1)
      expect(codeOf(await login({}, `wrong-${tries}`))).toBe('401 unauthorized');
    expect(codeOf(await login({}, 'wrong'))).toBe('429 too-many-failures');
    expect((await login()).statusCode).toBe(200);
  });

  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' }],
    ['a neighbour of the site', { 'sec-fetch-site': 'same-site', origin: `http://${HOST}` }],
    ['another Origin', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://localhost:3000' }],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
  ])('is not begun by %s', async (_what, headers) => {
    expect(codeOf(await login(headers))).toBe('403 cross-site');
  });

  describe('changes something', () => {
    let cookie: string;
    beforeEach(async () => {
      cookie = cookieOf(await login({}, give('op', 'operator')));
    });
    const scrape = (headers: Record<string, string>) =>
      ask({ method: 'POST', url: '/jobs/scrape', headers: { cookie, ...headers } });

    test('from a page of ours, and by its name in the audit log', async () => {
      expect((await scrape(CONSOLE)).statusCode).toBe(202);
      const { origin: _none, ...trusted } = CONSOLE;
      expect((await scrape({ ...trusted, 'sec-fetch-site': 'same-origin' })).statusCode).toBe(202);
      expect(trial.said.at(-1)).toMatch(/^audit: POST \/jobs\/scrape by session of op from /);
    });

    test.each([
      ['no word of whence', { ...JSON_TYPE, 'x-bulkhead-console': '1' }, '403 cross-site'],
      ['another Origin', { ...CONSOLE, origin: 'http://evil.example' }, '403 cross-site'],
      ['Origin: null', { ...CONSOLE, origin: 'null' }, '403 cross-site'],
      ['Sec-Fetch-Site: cross-site', { ...CONSOLE, 'sec-fetch-site': 'cross-site' }, '403 cross-site'],
      ['no header of ours', { ...JSON_TYPE, origin: `http://${HOST}` }, '403 no-console-header'],
      ['text/plain', { ...CONSOLE, 'content-type': 'text/plain' }, '415 not-json'],
    ])('law 38: and a session changes nothing with %s', async (_what, headers, code) => {
      const answer = await scrape(headers);
      expect(codeOf(answer)).toBe(code);
      if (code.startsWith('403')) expect(answer.json().remedy).toContain('X-Bulkhead-Console: 1');
      expect(trial.queue.asked).toEqual([]);
    });
  });

  test('ends by a logout, by silence, by its time, and with its token', async () => {
    const isOpen = async (cookie: string) =>
      (await ask({ url: '/status', headers: { cookie } })).statusCode === 200;
    const out = cookieOf(await login());
    const answer = await ask({ method: 'DELETE', url: '/session', headers: { ...CONSOLE, cookie: out } });
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([
      204,
      'bulkhead=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
    ]);
    expect(await isOpen(out)).toBe(false);

    const revoked = cookieOf(await login({}, give('gone', 'viewer')));
    expect(await isOpen(revoked)).toBe(true);
    trial.tokens.remove('gone');
    trial.pass(1000);
    expect(await isOpen(revoked)).toBe(false);

    const idle = cookieOf(await login());
    trial.pass(2 * 3_600_000 + 1);
    expect(await isOpen(idle)).toBe(false);

    const awake = cookieOf(await login());
    for (let hours = 1; hours < 12; hours += 1) {
      trial.pass(3_600_000);
      expect(await isOpen(awake)).toBe(true);
    }
    trial.pass(3_600_000);
    expect(await isOpen(awake)).toBe(false);
  });

  test('is possible where nothing may be changed, and changes nothing there', async () => {
    const frozen = apiTrial({ readOnly: true });
    const begun = await ask(
      { method: 'POST', url: '/session', headers: JSON_TYPE, payload: { token: TOKEN } },
      frozen,
    );
    expect(begun.json()).toMatchObject({ role: 'admin', readOnly: true });
    const headers = { ...CONSOLE, cookie: cookieOf(begun) };
    expect(codeOf(await ask({ method: 'POST', url: '/jobs/scrape', headers }, frozen))).toBe('403 read-only');
    await frozen.app.close();
  });
});

test('where the audit log cannot be kept, the newest of it are known all the same', async () => {
  const audit = createAudit('/dev/null/nowhere/audit.ndjson', {
    say: () => undefined,
    now: () => 0,
    wallClock: () => 0,
  });
  for (const path of ['/one', '/two'])
    audit.record({ actor: 'token x', address: STRANGER, method: 'POST', path, status: 200 });
  expect((await audit.read(10, undefined)).map(({ path }) => path)).toEqual(['/two', '/one']);
});

test('a viewer who tries again and again pushes nothing out of the audit log', async () => {
  const audit = createAudit('/dev/null/nowhere/audit.ndjson', {
    say: () => undefined,
    now: () => 0,
    wallClock: () => 0,
  });
  const entry = { address: STRANGER, method: 'POST', status: 202 };
  audit.record({ ...entry, actor: 'token deploy', path: '/backups/restore' });
  for (let count = 0; count < 1000; count += 1)
    audit.record({ ...entry, actor: 'token grafana', path: '/jobs/scrape', status: 403 });
  const entries = await audit.read(1000, undefined);
  expect(entries.at(-1)).toMatchObject({ actor: 'token deploy', path: '/backups/restore' });
  expect(entries).toHaveLength(31);
});

test('the audit log tells who changed what, newest first, and that only to an admin', async () => {
  await ask({ method: 'POST', url: '/jobs/scrape', headers: { ...JSON_TYPE, ...as(OF_PLAN) } });
  trial.pass(1000);
  await ask({ method: 'POST', url: '/jobs/pause', headers: { ...JSON_TYPE, ...BEARER } });
  const { entries } = (await ask({ url: '/audit', headers: BEARER })).json();
  expect(entries).toMatchObject([
    { at: '2026-01-01T00:00:01.000Z', actor: 'token main', path: '/jobs/pause', status: 200 },
    {
      at: '2026-01-01T00:00:00.000Z',
      actor: 'token of-plan',
      address: STRANGER,
      method: 'POST',
      path: '/jobs/scrape',
      status: 202,
      about: expect.stringMatching(/^job /),
    },
  ]);
  const older = await ask({ url: '/audit?limit=1&before=2026-01-01T01:00:01%2B01:00', headers: BEARER });
  expect(older.json().entries.map(({ path }: { path: string }) => path)).toEqual(['/jobs/scrape']);
  expect(codeOf(await ask({ url: '/audit', headers: as(OF_PLAN) }))).toBe('403 role-needed');
});
