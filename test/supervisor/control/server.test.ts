import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/base/errors.ts';
import type { LogLine } from '../../../src/protocol/control.ts';
import { openControlServer } from '../../../src/supervisor/control/server.ts';
import { realClock } from '../../support/clock.ts';
import { fakeTarget, openControl, socketFiles } from '../../support/control-target.ts';
import { exampleService } from '../../support/product.ts';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

function ask(socketPath: string, method: string, path: string, body?: string, headers = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
      );
      response.on('error', reject);
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

const json = (value: unknown) => JSON.stringify(value);

describe('the control socket', () => {
  test('answers with the status, the version of its shape and the volume it runs', async () => {
    const target = fakeTarget();
    await using control = await openControl(target);
    const { status, text, headers } = await ask(control.path, 'GET', '/v1/status');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual(JSON.parse(json({ ...target.product(), supervisor: target.self() })));
    expect(headers['bulkhead-data']).toBe('%2Fdata');
  });

  test('is open to its owner alone', async () => {
    await using control = await openControl(fakeTarget());
    expect(statSync(control.path).mode & 0o777).toBe(0o600);
  });

  test('goes away when it is closed', async () => {
    const control = await openControl(fakeTarget());
    await control.server.close();
    expect(existsSync(control.path)).toBe(false);
    await control[Symbol.asyncDispose]();
  });

  test('serves nobody who means another volume', async () => {
    const target = fakeTarget();
    await using control = await openControl(target);
    const meant = { 'bulkhead-data': encodeURIComponent('/elsewhere') };
    const { status } = await ask(control.path, 'POST', '/v1/services/stop', json({ names: ['app'] }), meant);
    expect(status).toBe(421);
    expect(target.asked).toEqual([]);
  });

  test('takes the volume in any of the spellings that are given', async () => {
    await using control = await openControl(fakeTarget());
    const meant = { 'bulkhead-data': `${encodeURIComponent('/link')},${encodeURIComponent('/data')}` };
    expect((await ask(control.path, 'GET', '/v1/status', undefined, meant)).status).toBe(200);
  });
});

describe('a path for the socket', () => {
  test('law 38: is taken over where nobody answers on a socket that was left', async () => {
    await using left = await openControl(fakeTarget());
    const path = join(left.folder, 'stale.sock');
    await leaveStaleSocket(path);
    const server = await openControlServer(fakeTarget(), [path], { clock: realClock, files: socketFiles });
    expect((await ask(path, 'GET', '/v1/status')).status).toBe(200);
    await server.close();
  });

  test('law 38: is left to the supervisor that answers there, and the next one is used', async () => {
    await using first = await openControl(fakeTarget());
    const second = await openControlServer(fakeTarget(), [first.path, join(first.folder, 'second.sock')], {
      clock: realClock,
      files: socketFiles,
    });
    expect(second.path).toBe(join(first.folder, 'second.sock'));
    await second.close();
    expect((await ask(first.path, 'GET', '/v1/status')).status).toBe(200);
  });

  test('is not taken by removing a file that is no socket', async () => {
    await using control = await openControl(fakeTarget());
    const path = join(control.folder, 'letter.txt');
    writeFileSync(path, 'dear reader');
    const opening = openControlServer(fakeTarget(), [path], { clock: realClock, files: socketFiles });
    await expect(opening).rejects.toThrow(/cannot open the control socket: .*letter\.txt: it is no socket/);
    expect(statSync(path).size).toBe(11);
  });

  test('that cannot be written is passed over', async () => {
    await using control = await openControl(fakeTarget());
    const files = { ...socketFiles, prepareFolder: (path: string) => !path.includes('closed') };
    const second = join(control.folder, 'open.sock');
    const server = await openControlServer(fakeTarget(), ['/closed/a.sock', second], {
      clock: realClock,
      files,
    });
    expect(server.path).toBe(second);
    await server.close();
  });
});

describe('hostile and broken requests', () => {
  const bad: readonly [string, string, string, string | undefined, number][] = [
    ['an unknown route', 'GET', '/v1/nothing', undefined, 404],
    ['a name of Object.prototype', 'GET', '/v1/__proto__', undefined, 404],
    ['the wrong method', 'POST', '/v1/status', '{}', 405],
    ['an address that is no path', 'OPTIONS', '*', undefined, 400],
    ['an unknown parameter', 'GET', '/v1/status?x=1', undefined, 400],
    ['a body that is not JSON', 'POST', '/v1/services/stop', '{names:', 400],
    ['a body that is a list', 'POST', '/v1/services/stop', '[]', 400],
    ['an unknown key', 'POST', '/v1/services/stop', '{"names":["app"],"force":true}', 400],
    ['__proto__ as a key', 'POST', '/v1/services/stop', '{"__proto__":{"names":["app"]}}', 400],
    ['__proto__ as a service', 'POST', '/v1/services/stop', '{"names":["__proto__"]}', 404],
    ['__proto__ in an input', 'POST', '/v1/runs', '{"program":"import","input":{"__proto__":"x"}}', 400],
    ['names that are not texts', 'POST', '/v1/services/stop', '{"names":[1]}', 400],
    ['no names', 'POST', '/v1/services/stop', '{"names":[]}', 400],
    ['a timeout below zero', 'POST', '/v1/services/stop', '{"names":["app"],"timeout":-1}', 400],
    ['a wait that is no boolean', 'POST', '/v1/services/stop', '{"names":["app"],"wait":"no"}', 400],
    [
      'a run that is kept under no name',
      'POST',
      '/v1/runs',
      '{"program":"import","keep":{"id":"../x"}}',
      400,
    ],
    ['a program that may not be asked for', 'POST', '/v1/runs', '{"program":"cluster"}', 400],
    ['a tail that is no number', 'GET', '/v1/logs?tail=-1', undefined, 400],
    ['a since that is no time', 'GET', '/v1/logs?since=yesterday', undefined, 400],
    ['a service nobody has', 'GET', '/v1/logs?service=ap', undefined, 404],
    ['an event that is no number', 'GET', '/v1/events?since=x', undefined, 400],
    ['a level nobody has', 'GET', '/v1/health?level=great', undefined, 400],
    ['an exec without its first frame', 'POST', '/v1/exec', '', 400],
    ['an exec without a command', 'POST', '/v1/exec', '{"type":"open","service":"app","argv":[]}\n', 400],
    ['a NUL in a command', 'POST', '/v1/exec', '{"type":"open","service":"app","argv":["a\\u0000"]}\n', 400],
    ['a body that is too large', 'POST', '/v1/services/stop', 'x'.repeat(70_000), 413],
  ];

  test.each(bad)('law 38: %s is refused and changes nothing', async (_what, method, path, body, expected) => {
    const target = fakeTarget();
    await using control = await openControl(target);
    const { status, text } = await ask(control.path, method, path, body);
    expect(status).toBe(expected);
    expect(JSON.parse(text)).toMatchObject({
      schemaVersion: 1,
      error: { message: expect.stringMatching(/^cannot /) },
    });
    expect(target.asked).toEqual([]);
    expect((await ask(control.path, 'GET', '/v1/status')).status).toBe(200);
  });

  test('is read to its end, so that a client that writes all before it reads gets its refusal', async () => {
    await using control = await openControl(fakeTarget());
    const socket = createConnection(control.path);
    const size = 4_000_000;
    const head = `POST /v1/services/stop HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n`;
    await new Promise((resolve) => socket.write(head + 'x'.repeat(size), resolve));
    const [chunk] = await once(socket, 'data');
    expect(String(chunk)).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test('a wrong service comes with the right one', async () => {
    await using control = await openControl(fakeTarget());
    const { text } = await ask(control.path, 'POST', '/v1/services/stop', json({ names: ['databse'] }));
    expect(JSON.parse(text).error).toMatchObject({ exitCode: 4, remedy: 'did you mean "database"?' });
  });

  test('a bug in the hall is an internal error that shows no stack', async () => {
    const target = fakeTarget({
      planView: () => {
        throw new TypeError('undefined is not a plan');
      },
    });
    await using control = await openControl(target);
    const { status, text } = await ask(control.path, 'GET', '/v1/plan');
    expect(status).toBe(500);
    expect(JSON.parse(text).error.message).toBe('internal error: undefined is not a plan');
    expect(text).not.toContain(import.meta.filename);
  });

  test('a refusal of the hall keeps its exit code and remedy', async () => {
    const target = fakeTarget({
      reload: async () => {
        throw new Failure('cannot reload: plan is wrong', { exitCode: 6, remedy: 'mend it' });
      },
    });
    await using control = await openControl(target);
    const { status, text } = await ask(control.path, 'POST', '/v1/reload', '{}');
    expect(status).toBe(422);
    expect(JSON.parse(text).error).toMatchObject({ exitCode: 6, remedy: 'mend it' });
  });
});

describe('a change', () => {
  test('is answered when the service has come to rest', async () => {
    const target = fakeTarget();
    target.onAsked = () => {
      target.set('app', { status: 'stopping' });
      setImmediate(() => target.set('app', { status: 'stopped', pid: undefined }));
    };
    await using control = await openControl(target);
    const { text } = await ask(control.path, 'POST', '/v1/services/stop', json({ names: ['app', 'app'] }));
    const answer = JSON.parse(text);
    expect(answer.exitCode).toBe(0);
    expect(answer.changes).toHaveLength(1);
    expect(answer.changes[0]).toMatchObject({
      name: 'app',
      outcome: 'changed',
      after: { status: 'stopped' },
    });
  });

  test('that happens at once is not missed', async () => {
    const target = fakeTarget();
    target.onAsked = () => target.set('app', { generation: 2, pid: 59 });
    await using control = await openControl(target);
    const { text } = await ask(control.path, 'POST', '/v1/services/restart', json({ names: ['app'] }));
    expect(JSON.parse(text).changes[0]).toMatchObject({ outcome: 'changed', after: { generation: 2 } });
  });

  test('waits for the new generation, not for the old one that is still ready', async () => {
    const target = fakeTarget();
    target.onAsked = () => {
      setImmediate(() => {
        target.set('app', { status: 'stopping' });
        target.set('app', { status: 'starting', generation: 2 });
        target.set('app', { status: 'ready' });
      });
    };
    await using control = await openControl(target);
    const { text } = await ask(control.path, 'POST', '/v1/services/restart', json({ names: ['app'] }));
    expect(JSON.parse(text).changes[0]).toMatchObject({
      outcome: 'changed',
      after: { generation: 2, status: 'ready' },
    });
  });

  test('that ends in a crash has failed, though it will be tried again', async () => {
    const target = fakeTarget();
    target.setProduct({
      ...target.product(),
      services: [exampleService('app', { status: 'stopped', pid: undefined })],
    });
    target.onAsked = () => {
      target.set('app', { status: 'starting', generation: 2 });
      target.set('app', { status: 'backoff', reason: 'exit 1, next start in 1 s' });
    };
    await using control = await openControl(target);
    const { text } = await ask(control.path, 'POST', '/v1/services/start', json({ names: ['app'] }));
    expect(JSON.parse(text)).toMatchObject({ exitCode: 1, changes: [{ outcome: 'failed' }] });
  });

  test('of a service in backoff is not failed by the state it was in', async () => {
    const target = fakeTarget();
    target.setProduct({ ...target.product(), services: [exampleService('app', { status: 'backoff' })] });
    target.onAsked = () => {
      setImmediate(() => target.set('app', { status: 'ready', generation: 2 }));
    };
    await using control = await openControl(target);
    const { text } = await ask(control.path, 'POST', '/v1/services/start', json({ names: ['app'] }));
    expect(JSON.parse(text)).toMatchObject({ exitCode: 0, changes: [{ outcome: 'changed' }] });
  });

  test('that could not even spawn has failed, though there is no new generation', async () => {
    const target = fakeTarget();
    target.set('app', { status: 'stopped', pid: undefined });
    target.onAsked = () => {
      target.set('app', { status: 'failed', reason: 'cannot spawn nod: no such program' });
    };
    await using control = await openControl(target);
    const { text } = await ask(
      control.path,
      'POST',
      '/v1/services/start',
      json({ names: ['app'], timeout: 1000 }),
    );
    expect(JSON.parse(text)).toMatchObject({ exitCode: 1, changes: [{ outcome: 'failed' }] });
  });

  test('of what is so already changes nothing', async () => {
    await using control = await openControl(fakeTarget());
    const { text } = await ask(control.path, 'POST', '/v1/services/start', json({ names: ['app'] }));
    expect(JSON.parse(text)).toMatchObject({ exitCode: 0, changes: [{ outcome: 'unchanged' }] });
  });

  test('that does not come in time is pending', async () => {
    const target = fakeTarget();
    target.onAsked = () => target.set('app', { status: 'stopping' });
    await using control = await openControl(target);
    const body = json({ names: ['app'], timeout: 5 });
    const { text } = await ask(control.path, 'POST', '/v1/services/stop', body);
    expect(JSON.parse(text)).toMatchObject({ exitCode: 124, changes: [{ outcome: 'pending' }] });
  });

  test('that nobody waits for is answered at once', async () => {
    const target = fakeTarget();
    target.onAsked = () => target.set('app', { status: 'stopping' });
    await using control = await openControl(target);
    const { text } = await ask(
      control.path,
      'POST',
      '/v1/services/stop',
      json({ names: ['app'], wait: false }),
    );
    expect(JSON.parse(text)).toMatchObject({ exitCode: 0, changes: [{ outcome: 'asked' }] });
  });

  test('of a disabled service is refused', async () => {
    const target = fakeTarget();
    target.set('app', { status: 'disabled', reason: 'tier full' });
    await using control = await openControl(target);
    const { status, text } = await ask(control.path, 'POST', '/v1/services/start', json({ names: ['app'] }));
    expect(status).toBe(409);
    expect(JSON.parse(text).error).toMatchObject({
      exitCode: 5,
      message: 'cannot start app: it is disabled (tier full)',
    });
    expect(target.asked).toEqual([]);
  });
});

describe('streams', () => {
  const line = (text: string, service = 'app'): LogLine => ({
    time: '2026-01-01T00:00:00.000Z',
    service,
    stream: 'stdout',
    line: text,
  });

  test('of kept lines end by themselves', async () => {
    const target = fakeTarget();
    for (const text of ['a', 'b', 'c']) target.write(line(text));
    target.write(line('elsewhere', 'database'));
    await using control = await openControl(target);
    const { text } = await ask(control.path, 'GET', '/v1/logs?service=app&tail=2');
    expect(
      text
        .trim()
        .split('\n')
        .map((each) => JSON.parse(each).line),
    ).toEqual(['b', 'c']);
  });

  test('of our own lines go by our name', async () => {
    const target = fakeTarget();
    target.write(line('up', 'bulkhead'));
    target.write(line('elsewhere'));
    await using control = await openControl(target);
    const { text } = await ask(control.path, 'GET', '/v1/logs?service=bulkhead&tail=2');
    expect(JSON.parse(text).line).toBe('up');
  });

  test('that follow end when the server closes, and let go of what they followed', async () => {
    const target = fakeTarget();
    const control = await openControl(target);
    const logs = ask(control.path, 'GET', '/v1/logs?follow=1');
    const events = ask(control.path, 'GET', '/v1/events?follow=1');
    await expect.poll(() => target.followers.logs).toBe(1);
    target.write(line('while following'));
    await control.server.close();
    expect((await logs).text).toContain('while following');
    expect((await events).status).toBe(200);
    expect(target.followers.logs).toBe(0);
    await control[Symbol.asyncDispose]();
  });

  test('of events hold those of jobs where they are asked for, as they happen', async () => {
    const target = fakeTarget();
    const control = await openControl(target);
    const asked = ['/v1/events?follow=1&jobs=1', '/v1/events?follow=1'].map((path) =>
      ask(control.path, 'GET', path),
    );
    await expect.poll(() => target.followers.events).toBe(2);
    target.mention({ type: 'job', at: '2026-01-01T00:00:00.000Z', what: 'skipped', count: 3 });
    await control.server.close();
    const [all, others] = await Promise.all(asked);
    expect(all?.text).toContain('"what":"skipped","count":3');
    expect([others?.status, others?.text]).toEqual([200, expect.not.stringContaining('skipped')]);
    await control[Symbol.asyncDispose]();
  });

  test('that follow let go when the client leaves', async () => {
    const target = fakeTarget();
    await using control = await openControl(target);
    const asking = request({ socketPath: control.path, path: '/v1/logs?follow=1', agent: false });
    asking.on('error', () => {});
    asking.end();
    await expect.poll(() => target.followers.logs).toBe(1);
    asking.destroy();
    await expect.poll(() => target.followers.logs).toBe(0);
  });

  test('to a reader that does not read drop lines, say how many, and hold no more than a little', async () => {
    const target = fakeTarget();
    await using control = await openControl(target);
    const { promise, resolve } = Promise.withResolvers<NodeJS.ReadableStream>();
    const asking = request(
      { socketPath: control.path, path: '/v1/logs?follow=1', agent: false },
      (response) => {
        response.pause();
        resolve(response);
      },
    );
    asking.end();
    const response = await promise;
    await expect.poll(() => target.followers.logs).toBe(1);
    const wide = 'x'.repeat(64 * 1024);
    for (let count = 0; count < 200; count += 1) target.write(line(wide));
    let text = '';
    response.on('data', (chunk) => {
      text += chunk;
    });
    response.resume();
    await expect.poll(() => /dropped \d+ lines/.test(text)).toBe(true);
    asking.destroy();
  });

  test('of events say what is no longer kept', async () => {
    const target = fakeTarget();
    for (let count = 0; count < 1100; count += 1) target.events.append({ type: 'noted', text: `${count}` });
    await using control = await openControl(target);
    const { text } = await ask(control.path, 'GET', '/v1/events?since=5');
    const lines = text
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each));
    expect(lines[0]).toEqual({ type: 'missed', before: 101 });
    expect(lines).toHaveLength(1001);
    expect(lines.at(-1).seq).toBe(1100);
  });

  test('of a program carry its reports and end with its exit code', async () => {
    const target = fakeTarget();
    await using control = await openControl(target);
    const { text } = await ask(
      control.path,
      'POST',
      '/v1/runs',
      json({ program: 'import', input: { file: '/x' } }),
    );
    expect(
      text
        .trim()
        .split('\n')
        .map((each) => JSON.parse(each).type),
    ).toEqual(['progress', 'result', 'exit']);
    expect(target.asked).toEqual(['run import {"file":"/x"}']);
  });

  test('that are kept outlive their client, and are found again until somebody ends them', async () => {
    const aborted = Promise.withResolvers<void>();
    const target = fakeTarget({
      run: async (_program, _input, onReport, signal) => {
        onReport({ type: 'note', text: 'begun' });
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        aborted.resolve();
        return 143;
      },
    });
    await using control = await openControl(target);
    const id = '7b2d6c1e';
    const order = { program: 'backup', input: {}, keep: { id, label: { kind: 'backup run' } } };
    const client = request({
      socketPath: control.path,
      method: 'POST',
      path: '/v1/runs',
      agent: false,
    });
    client.on('error', () => {});
    client.end(json(order));
    const [response] = await once(client, 'response');
    response.on('error', () => {});
    const closed = once(response, 'close');
    response.destroy();
    await closed;
    expect((await ask(control.path, 'POST', '/v1/runs', json(order))).status).toBe(409);
    const { runs } = JSON.parse((await ask(control.path, 'GET', '/v1/runs')).text);
    expect(runs).toMatchObject([{ id, label: { kind: 'backup run' } }]);
    const followed = ask(control.path, 'GET', `/v1/runs/follow?id=${id}`);
    expect((await ask(control.path, 'POST', '/v1/runs/cancel', json({ id }))).status).toBe(202);
    await aborted.promise;
    const lines = (await followed).text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'note', text: 'begun' },
      { type: 'exit', code: 143, cancelled: true },
    ]);
    expect((await ask(control.path, 'POST', '/v1/runs/cancel', json({ id }))).status).toBe(409);
    expect((await ask(control.path, 'GET', '/v1/runs/follow?id=other')).status).toBe(404);
  });
});

function leaveStaleSocket(path: string): Promise<void> {
  // libuv removes the path on close; renaming it away first leaves a socket without an owner, as a kill -9 does.
  return new Promise((resolve, reject) => {
    const server = createServer().listen(`${path}.tmp`, async () => {
      const { renameSync } = await import('node:fs');
      renameSync(`${path}.tmp`, path);
      server.close((error) => (error ? reject(error) : resolve()));
    });
  });
}
