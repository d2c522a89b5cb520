import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Supervisor, startSupervisor } from '../support/supervisor.ts';

let bulkhead: Supervisor;
let main: string;

beforeAll(async () => {
  bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app: { command: [sh, -c, 'echo "begun by $$SECRET_WORD"; exec sleep 1000'], environment: { SECRET_WORD: hush-hush-hush } }
api: { enabled: true, user: nobody, tokens: { deploy: { role: operator, token: "\${DEPLOY_TOKEN:-}" } } }
`,
    env: { DEPLOY_TOKEN: 'the-token-of-deploy-of-the-plan' },
  });
  await bulkhead.ready();
  expect((await bulkhead.run('wait', 'api', '--timeout', '30s')).code).toBe(0);
  main = readFileSync(join(bulkhead.dataDir, 'secrets', 'token'), 'utf8').trim();
});
afterAll(() => bulkhead[Symbol.asyncDispose]());

async function ask(token: string, method: string, path: string, body?: object) {
  const response = await fetch(`http://127.0.0.1:${bulkhead.apiPort}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

const generationOf = async (name: string) =>
  (await bulkhead.status()).services.find((service) => service.name === name)?.generation;

test('a token that a command made opens what its role may, until it is revoked', async () => {
  const made = await bulkhead.run('token', 'create', 'grafana');
  const token = made.stdout.trim();
  expect([made.code, token, made.stderr]).toEqual([
    0,
    expect.stringMatching(/^[\w-]{43}$/),
    expect.stringContaining('grafana, of the role viewer. Keep it'),
  ]);
  const file = join(bulkhead.dataDir, 'secrets/tokens/grafana.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).not.toContain(token);
  expect((await ask(token, 'GET', '/status')).status).toBe(200);
  expect(await ask(token, 'POST', '/services/app/restart')).toMatchObject({
    status: 403,
    body: { code: 'role-needed', role: 'operator' },
  });
  expect((await bulkhead.run('token', 'list')).stdout).toMatch(/^grafana +viewer .*token create$/m);
  expect((await bulkhead.run('token', 'create', 'grafana')).code).toBe(5);
  expect((await bulkhead.run('token', 'revoke', 'grafana')).code).toBe(0);
  expect((await bulkhead.run('token', 'revoke', 'grafana')).code).toBe(4);
  await expect.poll(async () => (await ask(token, 'GET', '/status')).status).toBe(401);
});

test('a service is restarted by an operator of the plan, and the audit log says by whom', async () => {
  const before = (await generationOf('app')) ?? 0;
  const begun = await ask('the-token-of-deploy-of-the-plan', 'POST', '/services/app/restart');
  expect([200, 202]).toContain(begun.status);
  await expect
    .poll(async () => (await ask(main, 'GET', `/operations/${begun.body.id}`)).body.state)
    .toBe('done');
  expect(await generationOf('app')).toBe(before + 1);
  expect((await ask(main, 'GET', '/audit?limit=1')).body.entries).toMatchObject([
    {
      actor: 'token deploy',
      method: 'POST',
      path: '/services/app/restart',
      about: `operation ${begun.body.id}`,
    },
  ]);
  expect(await ask(main, 'POST', '/services/nobody/stop')).toMatchObject({
    status: 404,
    body: { code: 'unknown-service', remedy: expect.stringContaining('app') },
  });
});

test('what only a look at the machine tells is told by a child, as its command tells it', async () => {
  const [doctor, tiers, check, config] = await Promise.all([
    ask(main, 'GET', '/doctor'),
    ask(main, 'GET', '/tiers'),
    ask(main, 'GET', '/config/check'),
    ask(main, 'GET', '/config'),
  ]);
  expect(doctor.body.findings).toContainEqual(
    expect.objectContaining({ check: 'supervisor', fact: expect.stringContaining('running') }),
  );
  expect(tiers.body).toMatchObject({ schemaVersion: 1, running: expect.any(String) });
  expect(check.body).toMatchObject({ ok: true });
  expect(config.body.plan).toContainEqual(
    expect.objectContaining({ path: 'api.tokens.deploy.token', value: '********' }),
  );
});

test('logs are searched in their files, and no secret stands in them', async () => {
  const found = await ask(main, 'GET', '/logs?service=app&since=1h&grep=begun');
  expect(found.body.lines.at(-1)).toMatchObject({ service: 'app', line: 'begun by ********' });
  // A text, and no expression.
  expect(await ask(main, 'GET', '/logs?grep=^begun(')).toMatchObject({ status: 200, body: { lines: [] } });
  const all = JSON.stringify((await ask(main, 'GET', '/logs?since=1h&tail=1000')).body);
  for (const secret of [main, 'the-token-of-deploy', 'hush-hush']) expect(all).not.toContain(secret);
});

/** What the stream says until this was said. */
async function hear(path: string, until: RegExp, lastId?: string): Promise<string> {
  const over = AbortSignal.timeout(20_000);
  const { body } = await fetch(`http://127.0.0.1:${bulkhead.apiPort}${path}`, {
    headers: {
      authorization: `Bearer ${main}`,
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    },
    signal: over,
  });
  let said = '';
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    said += chunk;
    if (until.test(said)) return said;
  }
  throw new Error(`the stream ended: ${said}`);
}

test('who was cut off from the stream hears what happened and was written meanwhile, each once', async () => {
  const path = '/events?topics=events,state,logs&service=app';
  const first = await hear(path, /^event: state$/m);
  const [id] = [...first.matchAll(/^id: (\S+)$/gm)].map(([, one]) => one).slice(-1);
  expect(id).toMatch(/^\d+\/[\da-f]{8}\.\d+\.\d+$/);
  expect((await bulkhead.run('restart', 'app')).code).toBe(0);
  const rest = await hear(path, /(?=[\s\S]*^event: state$)(?=[\s\S]*begun by)/m, id);
  expect(rest.match(/begun by/g)).toHaveLength(1);
  const events = [...rest.matchAll(/^data: (\{"seq".*)$/gm)].map(([, text]) => JSON.parse(text ?? ''));
  expect(events.map(({ seq }) => seq)).toEqual(
    events.map((_, index) => Number(id?.split('/')[0]) + index + 1),
  );
  expect(events.map(({ type }) => type)).toContain('spawned');
});
