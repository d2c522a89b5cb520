import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSettings } from '../../src/api/settings.ts';
import type { Assignment } from '../../src/protocol/channel.ts';
import { type ApiTrial, apiTrial, BEARER, JSON_TYPE, TOKEN } from '../support/api.ts';

const STRANGER = '192.0.2.7';
const LOCAL = '127.0.0.1';

let trial: ApiTrial;
beforeEach(() => {
  trial = apiTrial();
});
afterEach(() => trial.app.close());

function ask(from: string, options: InjectOptions, api: ApiTrial = trial): Promise<Response> {
  return api.app.inject({
    remoteAddress: from,
    ...options,
    headers: { host: 'localhost:9701', ...options.headers },
  });
}

function codeOf(response: Response): string {
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(response.json()).toMatchObject({ type: 'about:blank', status: response.statusCode });
  return `${response.statusCode} ${response.json().code}`;
}

describe('off the loopback', () => {
  test.each([
    ['GET', '/status'],
    ['GET', '/jobs'],
    ['HEAD', '/status'],
    ['OPTIONS', '/jobs'],
    ['POST', '/jobs/scrape'],
    ['GET', '/api/openapi.json'],
    ['GET', '/no/such/route'],
    ['GET', '/x/../api/openapi.json'],
    ['GET', '/%2e%2e/status'],
    ['GET', '//status'],
    ['GET', '/%ff'],
    ['GET', '/jobs/%'],
  ] as const)('law 38: %s %s answers nothing without a token', async (method, url) => {
    const response = await ask(STRANGER, { method, url, headers: JSON_TYPE });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="bulkhead"');
    expect(trial.queue.asked).toEqual([]);
  });

  test('the token opens it, and no other does', async () => {
    expect((await ask(STRANGER, { url: '/status', headers: BEARER })).statusCode).toBe(200);
    for (const authorization of [
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Basic ${TOKEN}`,
      TOKEN,
      'Bearer',
    ]) {
      expect(codeOf(await ask(STRANGER, { url: '/status', headers: { authorization } }))).toBe(
        '401 unauthorized',
      );
    }
  });

  test('the token opens nothing in the address', async () => {
    expect(codeOf(await ask(STRANGER, { url: `/status?token=${TOKEN}` }))).toBe('401 unauthorized');
  });
});

describe('the loopback', () => {
  test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
    'of %s reads without a token',
    async (from) => {
      expect((await ask(from, { url: '/jobs' })).statusCode).toBe(200);
    },
  );

  test.each(['127.0.0.2', '127.0.0.10', '127.8.9.1', '::ffff:127.0.0.2', '::', '172.17.0.1'])(
    'is not %s',
    async (from) => {
      expect(codeOf(await ask(from, { url: '/jobs' }))).toBe('401 unauthorized');
    },
  );

  test.each([
    ['x-forwarded-for', '203.0.113.9'],
    ['forwarded', 'for=203.0.113.9'],
    ['x-real-ip', '203.0.113.9'],
    ['via', '1.1 proxy'],
    ['cf-connecting-ip', '203.0.113.9'],
  ])('is none where a proxy says %s', async (name, value) => {
    expect(codeOf(await ask(LOCAL, { url: '/jobs', headers: { [name]: value } }))).toBe('401 unauthorized');
  });

  test('is told by the address of the peer and by nothing a client writes', async () => {
    for (const headers of [
      { host: '127.0.0.1' },
      { origin: 'http://127.0.0.1' },
      { 'x-forwarded-for': LOCAL },
    ]) {
      expect(codeOf(await ask(STRANGER, { url: '/jobs', headers }))).toBe('401 unauthorized');
    }
  });
});

describe('a page of another site', () => {
  const cross = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' },
    { origin: 'http://localhost:3000' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ];

  test.each(cross)('sees nothing through a browser of this machine: %j', async (headers) => {
    for (const url of ['/status', '/logs', '/metrics', '/backups', '/events', '/no/such/route']) {
      expect(codeOf(await ask(LOCAL, { url, headers }))).toBe('403 cross-site');
    }
    expect(trial.asked).toEqual([]);
  });

  test.each(cross)('sees nothing through a login either: %j', async (headers) => {
    const login = await ask(STRANGER, {
      method: 'POST',
      url: '/session',
      headers: JSON_TYPE,
      payload: { token: TOKEN },
    });
    const cookie = String(login.headers['set-cookie']).split(';')[0] ?? '';
    expect((await ask(STRANGER, { url: '/status', headers: { cookie } })).statusCode).toBe(200);
    expect(codeOf(await ask(STRANGER, { url: '/status', headers: { ...headers, cookie } }))).toBe(
      '403 cross-site',
    );
  });

  test.each([
    {},
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { origin: 'http://localhost:9701' },
  ])('is not what says %j', async (headers) => {
    for (const url of ['/status', '/metrics'])
      expect((await ask(LOCAL, { url, headers })).statusCode).toBe(200);
  });

  test('is none where the token comes with it, which no page can send by itself', async () => {
    const headers = { ...BEARER, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await ask(STRANGER, { url: '/status', headers })).statusCode).toBe(200);
  });
});

describe('wrong tokens', () => {
  const wrong = { url: '/status', headers: { authorization: 'Bearer wrong' } };

  test('are told so ten times a minute at one address, then to wait; the right one is never locked out', async () => {
    for (let tries = 0; tries < 10; tries += 1) expect((await ask(STRANGER, wrong)).statusCode).toBe(401);
    const eleventh = await ask(STRANGER, wrong);
    expect(codeOf(eleventh)).toBe('429 too-many-failures');
    expect(eleventh.headers['retry-after']).toBe('60');
    expect((await ask(STRANGER, { url: '/status', headers: BEARER })).statusCode).toBe(200);
    // It forgives nothing, either.
    expect((await ask(STRANGER, wrong)).statusCode).toBe(429);
    expect((await ask('192.0.2.8', wrong)).statusCode).toBe(401);
    trial.pass(60_001);
    expect((await ask(STRANGER, wrong)).statusCode).toBe(401);
  });
});

describe('the Host', () => {
  test.each(['localhost', 'app.localhost:80', '192.168.1.5:9701', '[::1]:9701', 'LOCALHOST', 'localhost.'])(
    '%s is ours',
    async (host) => {
      expect((await ask(LOCAL, { url: '/status', headers: { host } })).statusCode).toBe(200);
    },
  );

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'evillocalhost'])(
    'law 38: %s is a rebound page’s, with or without an Origin',
    async (host) => {
      expect(codeOf(await ask(LOCAL, { url: '/status', headers: { host } }))).toBe('403 unknown-host');
      const headers = { host, origin: `http://${host}`, ...JSON_TYPE };
      expect(codeOf(await ask(LOCAL, { method: 'POST', url: '/jobs/scrape', headers }))).toBe(
        '403 unknown-host',
      );
      expect(trial.queue.asked).toEqual([]);
    },
  );

  test.each([
    'a b',
    'localhost/x',
    'user@localhost',
    'localhost:99999999',
    '[localhost]',
    'localhost,evil.example',
  ])('%j is none', async (host) => {
    expect(codeOf(await ask(LOCAL, { url: '/status', headers: { host, ...BEARER } }))).toBe('403 bad-host');
  });

  test('of the plan’s list is ours, as is any that comes with the token', async () => {
    const named = apiTrial({ allowedHosts: ['box.lan'] });
    expect((await ask(LOCAL, { url: '/status', headers: { host: 'box.lan:9701' } }, named)).statusCode).toBe(
      200,
    );
    expect((await ask(LOCAL, { url: '/status', headers: { host: 'other.lan' } }, named)).statusCode).toBe(
      403,
    );
    expect(
      (await ask(STRANGER, { url: '/status', headers: { host: 'bulkhead', ...BEARER } }, named)).statusCode,
    ).toBe(200);
    await named.app.close();
  });
});

describe('what changes something', () => {
  const scrape = { method: 'POST', url: '/jobs/scrape' } as const;

  test.each([
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])('is refused as %s', async (type) => {
    const headers = { ...BEARER, ...(type === undefined ? {} : { 'content-type': type }) };
    expect(codeOf(await ask(STRANGER, { ...scrape, headers, payload: '{}' }))).toBe('415 not-json');
  });

  test('is refused without a type though it has no body, but for what no form can send', async () => {
    expect(codeOf(await ask(STRANGER, { ...scrape, headers: BEARER }))).toBe('415 not-json');
    const end = { method: 'DELETE', url: '/tokens/nobody', headers: BEARER } as const;
    expect((await ask(STRANGER, end)).statusCode).toBe(204);
    expect(codeOf(await ask(STRANGER, { ...end, payload: '{}' }))).toBe('415 not-json');
  });

  test.each([
    ['nothing', {}],
    ['Sec-Fetch-Site: same-origin', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:9701' }],
    ['Sec-Fetch-Site: none', { 'sec-fetch-site': 'none' }],
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:9701' }],
    ['the same Origin', { origin: 'http://localhost:9701' }],
    ['another Origin', { origin: 'http://evil.example' }],
  ])('needs the token on the loopback as well, where a client says %s', async (_what, said) => {
    const headers = { ...JSON_TYPE, ...said };
    for (const url of ['/jobs/scrape', '/jobs/pause', '/schedules/nightly/run']) {
      expect(codeOf(await ask(LOCAL, { method: 'POST', url, headers }))).toBe('401 unauthorized');
    }
    expect(codeOf(await ask(LOCAL, { method: 'DELETE', url: '/jobs/x', headers }))).toBe('401 unauthorized');
    expect(trial.queue.asked).toEqual([]);
    expect(trial.asked).toEqual([]);
    expect((await ask(LOCAL, { ...scrape, headers: { ...headers, ...BEARER } })).statusCode).toBe(202);
  });

  test('is refused where the plan says read_only, the token or not', async () => {
    const frozen = apiTrial({ readOnly: true });
    for (const options of [
      scrape,
      { method: 'DELETE', url: '/jobs/x' },
      { method: 'POST', url: '/no/route' },
    ] as const) {
      expect(codeOf(await ask(LOCAL, { ...options, headers: { ...JSON_TYPE, ...BEARER } }, frozen))).toBe(
        '403 read-only',
      );
    }
    expect((await ask(LOCAL, { url: '/jobs' }, frozen)).statusCode).toBe(200);
    await frozen.app.close();
  });

  test('is nothing a GET can do', async () => {
    for (const url of ['/jobs/pause', '/jobs/redrive', '/schedules/backup/run']) {
      expect((await ask(STRANGER, { url, headers: BEARER })).statusCode).toBeGreaterThanOrEqual(404);
    }
    expect(trial.queue.asked.every(({ op }) => op === 'get')).toBe(true);
  });

  test('leaves a line of who, whence, what and how it ended, and never the token', async () => {
    await ask(STRANGER, {
      ...scrape,
      headers: { ...JSON_TYPE, ...BEARER },
      payload: { data: { password: 'hush' } },
    });
    await ask(LOCAL, {
      method: 'POST',
      url: '/jobs/pause?x=secret',
      headers: { ...JSON_TYPE, ...BEARER },
    });
    await ask(STRANGER, {
      ...scrape,
      headers: { ...JSON_TYPE, authorization: 'Bearer guessed-guessed-guessed' },
    });
    await ask(LOCAL, { url: '/jobs' });
    expect(trial.said).toEqual([
      expect.stringMatching(/^audit: POST \/jobs\/scrape by token main from 192\.0\.2\.7: 202 job 1{8}-/),
      expect.stringMatching(/^audit: POST \/jobs\/pause by token main from 127\.0\.0\.1: 400$/),
      'audit: POST /jobs/scrape by nobody from 192.0.2.7: 401',
    ]);
    expect(trial.said.join()).not.toMatch(new RegExp(`${TOKEN}|guessed|hush|secret`));
  });

  test('and was refused does not fill the log', async () => {
    for (let tries = 0; tries < 50; tries += 1) await ask(STRANGER, { ...scrape, headers: JSON_TYPE });
    expect(trial.said).toHaveLength(30);
    trial.pass(60_000);
    await ask(STRANGER, { ...scrape, headers: JSON_TYPE });
    expect(trial.said.slice(30)).toEqual([
      'audit: 20 more were refused',
      expect.stringContaining('by nobody'),
    ]);
  });
});

test.each(['', 'GET /status HTTP/1.1\r\nhost: local'])(
  'a connection that says no more than %j is closed in time',
  async (bytes) => {
    const api = apiTrial({ headersMs: 50 });
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = api.app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write(bytes);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    await once(socket, 'close');
    expect(heard).toMatch(/^HTTP\/1\.1 408 /);
    await api.app.close();
  },
);

describe('a client that leaves before it has the answer', () => {
  test.each([
    ['is told with what came of it', '{"what":"daily"}', /: 202 operation \S+, and the client had left$/],
    ['is told as one for whom nothing was done', '{"what":', /: 499, and the client had left$/],
  ])('%s', async (_what, body, line) => {
    const api = apiTrial({
      async *program() {
        await leaving.promise;
        yield { type: 'exit', code: 0 };
      },
    });
    const leaving = Promise.withResolvers<void>();
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = api.app.server.address() as AddressInfo;
    const arrived = once(api.app.server, 'request');
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /backups HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n${body}`,
    );
    await arrived;
    if (body.length === 16) await until(() => api.asked.length === 1);
    socket.destroy();
    await until(() => api.said.length > 0);
    expect(api.said).toEqual([expect.stringMatching(line)]);
    expect(api.said).toEqual([
      expect.stringMatching(/^audit: POST \/backups by token main from 127\.0\.0\.1: /),
    ]);
    leaving.resolve();
    await api.app.close();
  });

  async function until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test.each([
  ['/status', BEARER, 200],
  ['/nothing', BEARER, 404],
  ['/status', {}, 401],
  ['/%ff', BEARER, 400],
] as const)('%s bears what protects a browser', async (url, headers, status) => {
  const response = await ask(STRANGER, { url, headers });
  expect(response.statusCode).toBe(status);
  expect(response.headers).toMatchObject({
    'content-security-policy': expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'$/),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

describe('the program', () => {
  const assignment = (token: string | undefined): Assignment => ({
    program: 'api',
    dataDir: '/data',
    runDir: '/run/bulkhead',
    database: undefined,
    backups: undefined,
    isolated: false,
    secrets: token === undefined ? {} : { token },
    input: { operateSocket: '/run/bulkhead/api/operate.sock' },
    api: {
      host: '0.0.0.0',
      port: 9701,
      allowedHosts: ['Box.LAN'],
      readOnly: false,
      tokens: [],
      metrics: undefined,
      user: 'api',
    },
  });

  test.each([undefined, '', 'nineteen-characters', 'twenty characters with blanks'])(
    'does not start with the token %j',
    (token) => {
      expect(() => readSettings(assignment(token))).toThrow(/^cannot serve the API: /);
      if (token) expect(() => readSettings(assignment(token))).not.toThrow(token);
    },
  );

  test('does not start where a token of the plan is the main one, and tells neither', () => {
    const { api, ...rest } = assignment(TOKEN);
    const twin = {
      ...rest,
      api: { ...api, tokens: [{ name: 'grafana', role: 'viewer', token: '' }] },
      secrets: { token: TOKEN, 'api.tokens.grafana': TOKEN },
    } as Assignment;
    expect(() => readSettings(twin)).toThrow(
      'cannot serve the API: api.tokens.grafana of the plan is the same as the main token',
    );
  });

  test('takes what PID 1 gives it', () => {
    expect(readSettings(assignment(TOKEN))).toMatchObject({
      token: TOKEN,
      port: 9701,
      allowedHosts: ['box.lan'],
    });
  });
});
