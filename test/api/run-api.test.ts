import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runApi } from '../../src/api/run-api.ts';
import { Failure } from '../../src/base/errors.ts';
import type { Job } from '../../src/program/job.ts';
import type { Report } from '../../src/protocol/channel.ts';
import { BEARER, JSON_TYPE, TOKEN } from '../support/api.ts';
import { type FakeTarget, fakeTarget } from '../support/control-target.ts';
import { type FakeOperate, openFakeOperate } from '../support/fake-operate.ts';
import { type FakeQueue, fakeQueue } from '../support/fake-queue.ts';
import { freePorts } from '../support/free-ports.ts';

let target: FakeTarget;
let queue: FakeQueue;
let operate: FakeOperate;
let port: number;
let stop: AbortController;
let ended: Promise<void>;
/** As when its channel to PID 1 breaks. */
let loseSupervisor: () => void;

beforeEach(async () => {
  target = fakeTarget();
  queue = fakeQueue();
  operate = await openFakeOperate(target, queue);
  [port = 0] = await freePorts(1);
  stop = new AbortController();
  ended = runApi(jobOf(operate.path, port, stop.signal));
  // One that cannot start says so, instead of being waited for.
  while (!(await isUp())) await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10))]);
});
afterEach(async () => {
  stop.abort();
  await ended;
  await operate[Symbol.asyncDispose]();
});

function jobOf(operateSocket: string, listenOn: number, signal: AbortSignal): Job {
  const api = {
    host: '127.0.0.1',
    port: listenOn,
    allowedHosts: [],
    readOnly: false,
    tokens: [],
    user: 'api',
  };
  const assignment = { secrets: { token: TOKEN }, input: { operateSocket }, api, dataDir: operate.folder };
  // Of the rest it reads nothing.
  const hear: Job['hear'] = (_listener, onEnd) => {
    loseSupervisor = onEnd;
  };
  return { assignment, signal, say: () => {}, hear, showLife: () => {} } as unknown as Job;
}

function isUp(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

function ask(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method, path, headers, agent: false }, resolve);
    request.on('error', reject);
    request.end(body);
  });
}

/** Bytes as they are, and all that comes back. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
  });
}

async function* eventsOf(
  stream: IncomingMessage,
): AsyncGenerator<{ id?: string; data: Record<string, unknown> }> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      const id = /^id: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) yield { data: JSON.parse(data), ...(id === undefined ? {} : { id }) };
    }
  }
}

const note = (text: string) => target.events.append({ type: 'noted', text });

test('reaches the worker and the services through the socket of PID 1', async () => {
  const added = await ask('POST', '/jobs/scrape', { ...BEARER, ...JSON_TYPE }, '{"data":{"tool":7}}');
  expect([added.statusCode, added.headers['x-bulkhead-durability']]).toEqual([202, 'durable']);
  expect(queue.asked).toEqual([{ op: 'add', type: 'scrape', data: { tool: 7 } }]);
  target.write({ time: '2026-01-01T00:00:00.000Z', service: 'app', stream: 'stdout', line: 'ready' });
  const logs = await ask('GET', '/logs?service=app&tail=1');
  expect(JSON.parse(await text(logs)).lines).toMatchObject([{ service: 'app', line: 'ready' }]);
  expect(JSON.parse(await text(await ask('GET', '/logs?service=nobody')))).toMatchObject({ status: 404 });
  expect(JSON.parse(await text(await ask('GET', '/services'))).services.length).toBeGreaterThan(0);
});

test('says so where PID 1 does not answer', async () => {
  await operate[Symbol.asyncDispose]();
  const answer = await ask('GET', '/jobs');
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
  expect(JSON.parse(await text(answer))).toMatchObject({ code: 'supervisor-away' });
  operate = await openFakeOperate(target, queue);
});

describe('events', () => {
  test('come as they happen, with their numbers', async () => {
    note('before');
    const stream = await ask('GET', '/events');
    expect(stream.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    const events = eventsOf(stream);
    const first = events.next();
    while (target.followers.events === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    note('after');
    expect((await first).value).toMatchObject({ id: '2', data: { type: 'noted', text: 'after' } });
    stream.destroy();
    while (target.followers.events > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test('are caught up with, each once and in order, whatever happens meanwhile', async () => {
    for (const text of ['1', '2', '3']) note(text);
    const stream = await ask('GET', '/events', { 'last-event-id': '1' });
    for (const text of ['4', '5']) note(text);
    const seen: unknown[] = [];
    for await (const { id, data } of eventsOf(stream)) {
      seen.push(`${id} ${data.text}`);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(['2 2', '3 3', '4 4', '5 5']);
  });

  test('are for sixteen of a kind at once, an admin among them whoever listens; PID 1 is asked by one', async () => {
    const streams = await Promise.all(Array.from({ length: 16 }, () => ask('GET', '/events')));
    expect(streams.map(({ statusCode }) => statusCode)).toEqual(Array(16).fill(200));
    const over = await ask('GET', '/events');
    expect([over.statusCode, over.headers['retry-after']]).toEqual([503, '10']);
    const admin = await ask('GET', '/events', BEARER);
    expect(admin.statusCode).toBe(200);
    while (target.followers.events === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(target.followers.events).toBe(1);
    streams[0]?.destroy();
    while ((await ask('GET', '/events')).statusCode !== 200)
      await new Promise((resolve) => setTimeout(resolve, 5));
    for (const stream of [...streams, admin]) stream.destroy();
  });
});

describe('an operation', () => {
  /** A backup that goes on until it is told how to end. */
  function backups() {
    const end = Promise.withResolvers<number>();
    const hears: ((report: Report) => void)[] = [];
    const run: FakeTarget['run'] = async (_program, _input, onReport, signal) => {
      hears.push(onReport);
      onReport({ type: 'note', text: 'begun' });
      signal.addEventListener('abort', () => end.resolve(143), { once: true });
      return end.promise;
    };
    Object.assign(target, { run });
    return { end, hears };
  }

  const headers = { ...BEARER, ...JSON_TYPE };
  const read = async (path: string) => JSON.parse(await text(await ask('GET', path, headers)));
  const begin = async () =>
    JSON.parse(await text(await ask('POST', '/backups', headers, '{"what":"daily"}')));

  /** As PID 1 starts it again, after a stop or a crash. */
  async function restart(): Promise<void> {
    stop.abort();
    await ended;
    stop = new AbortController();
    ended = runApi(jobOf(operate.path, port, stop.signal));
    while (!(await isUp())) await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10))]);
  }

  async function over(id: string) {
    for (;;) {
      const view = await read(`/operations/${id}`);
      if (view.state !== 'running') return view;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  test('goes on while the API starts anew, and is the same one afterwards', async () => {
    const { end, hears } = backups();
    const { id, startedAt } = await begin();
    await restart();
    expect(hears).toHaveLength(1);
    expect(await read(`/operations/${id}`)).toMatchObject({
      id,
      kind: 'backup run',
      about: 'daily',
      state: 'running',
      actor: 'token main',
      role: 'operator',
      startedAt,
    });
    hears[0]?.({ type: 'result', value: { made: ['daily-1'] } });
    end.resolve(0);
    const done = { state: 'done', notes: ['begun'], result: { made: ['daily-1'] } };
    expect(await over(id)).toMatchObject(done);
    // What has ended is remembered as it was.
    const before = await read(`/operations/${id}`);
    await restart();
    expect(await read(`/operations/${id}`)).toMatchObject({ ...done, endedAt: before.endedAt });
  });

  test('is ended by who cancels it, also at a later start of the API', async () => {
    backups();
    const { id } = await begin();
    await restart();
    expect((await ask('POST', `/operations/${id}/cancel`, headers)).statusCode).toBe(202);
    expect(await over(id)).toMatchObject({ state: 'cancelled' });
    await restart();
    expect(await read(`/operations/${id}`)).toMatchObject({ state: 'cancelled' });
  });

  test('that could not begin is refused, and is none later on', async () => {
    Object.assign(target, {
      run: () =>
        Promise.reject(new Failure('cannot run backup: everything is being stopped', { exitCode: 5 })),
    });
    const begun = await begin();
    // On a busy machine it is an operation that has failed by the time the refusal is here.
    const told = begun.id === undefined ? begun : (await over(begun.id)).failure;
    expect(told).toMatchObject({ detail: expect.stringContaining('being stopped') });
    await restart();
    expect((await read('/operations')).operations).toEqual([]);
  });
});

describe('what is no request', () => {
  test.each([
    ['no HTTP', 'HELO there\r\n\r\n', 400],
    ['no Host', 'GET /status HTTP/1.0\r\n\r\n', 403],
    ['an empty Host', 'GET /status HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n', 403],
    [
      'two Hosts',
      'GET /status HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n',
      403,
    ],
    [
      'a whole address',
      'GET http://localhost/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
      400,
    ],
    ['a header that never ends', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}`, 431],
  ])('as %s is told so', async (_what, bytes, status) => {
    const heard = await raw(bytes);
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(heard).toContain('content-type: application/problem+json');
  });

  test('leaves the port to others', async () => {
    await expect(runApi(jobOf(operate.path, port, stop.signal))).rejects.toThrow(
      `cannot serve the API on 127.0.0.1:${port}: the port is taken`,
    );
  });
});

describe('a flood of those who show no token', () => {
  const flood: Socket[] = [];
  afterEach(() => {
    for (const socket of flood.splice(0)) socket.destroy();
  });

  /** Connected. */
  async function connectMany(count: number, bytes: string): Promise<void> {
    const some = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
    flood.push(...some);
    for (const socket of some) socket.on('error', () => {}).write(bytes);
    await Promise.all(some.map((socket) => once(socket, 'connect')));
  }

  const stream = 'GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n';
  test.each([
    ['connects and says nothing', ''],
    [
      'asks for a change, and never says which',
      'POST /jobs/scrape HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n',
    ],
    ['listens', stream],
    [
      'logs in, and never says with what',
      'POST /session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n',
    ],
  ])('that %s keeps no admin out', async (_what, bytes) => {
    const held = await ask('GET', '/events', BEARER);
    await connectMany(300, bytes);
    expect((await ask('GET', '/jobs', BEARER)).statusCode).toBe(200);
    const second = await ask('GET', '/events', BEARER);
    expect(second.statusCode).toBe(200);
    const login = await ask('POST', '/session', JSON_TYPE, JSON.stringify({ token: TOKEN }));
    expect(login.statusCode).toBe(200);
    // Whoever listened before is not cut off for it.
    expect(held.destroyed).toBe(false);
    note('still here');
    for await (const { data } of eventsOf(held)) if (data.text === 'still here') break;
    for (const each of [held, second]) each.destroy();
  });
});

test('a stop ends streams, lets an answer finish and takes no more', async () => {
  const stream = await ask('GET', '/events');
  const whole = text(stream);
  // It may be cut off before anybody asks how it ended, which is told below.
  whole.catch(() => {});
  queue.onAsked = () => stop.abort();
  const answer = await ask('POST', '/jobs/scrape', { ...BEARER, ...JSON_TYPE });
  expect(answer.statusCode).toBe(202);
  await text(answer);
  expect(await whole).toMatch(/^retry: 2000\n\n/);
  await ended;
  await expect(ask('GET', '/jobs')).rejects.toThrow('ECONNREFUSED');
});

test('nobody is left listening when the supervisor is gone', async () => {
  loseSupervisor();
  await ended;
  await expect(ask('GET', '/jobs')).rejects.toThrow('ECONNREFUSED');
});
