import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createOperate, type Operate } from '../../src/api/operate.ts';

/** Longer than all of one purpose; no test waits for it but where it is said. */
const PATIENCE_MS = 300;

let folder: string;
let server: Server;
let operate: Operate;
let stop: AbortController;
/** Asked, and never answered. */
let held: ServerResponse[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operate-'));
  const path = join(folder, 'socket');
  held = [];
  server = createServer((request, response) => {
    if (request.url !== '/v1/status') held.push(response);
    else response.setHeader('content-type', 'application/json').end('{"name":"shop"}');
  }).listen(path);
  await once(server, 'listening');
  operate = createOperate(path, PATIENCE_MS);
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const many = <Value>(begin: () => Promise<Value>): Promise<unknown>[] =>
  Array.from({ length: 40 }, () => begin().catch((error: unknown) => error));
const isHeld = async (count: number): Promise<void> => {
  while (held.length < count) await once(server, 'request');
};
const problemOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'answered',
    ({ body: { status, code, detail } }) => `${status} ${code}: ${detail}`,
  );

describe('who asks PID 1', () => {
  test('is answered while commands that tell of alerts, operations and lines take their time', async () => {
    many(() => operate.postLong('/v1/alerts/tell', {}, stop.signal, 'sink'));
    many(() => operate.postLong('/v1/services/stop', {}, stop.signal));
    many(() => operate.lines('/v1/logs?tail=5', stop.signal));
    many(() => operate.lines('/v1/logs?tail=5&follow=1', stop.signal));
    many(() => operate.jobs({ op: 'status' }));
    await isHeld(40);
    expect(await operate.get('/v1/status')).toEqual({ name: 'shop' });
    // All together are fewer than PID 1 takes.
    expect(held.length).toBeLessThan(64);
  });

  test('is told so in time where its turn does not come', async () => {
    const [first, ...others] = many(() => operate.get('/v1/metrics'));
    const asked = await problemOf(operate.get('/v1/status'));
    expect(asked).toMatch(/^503 supervisor-away: the supervisor does not answer: .*timeout/);
    await Promise.all([first, ...others]);
  });

  test('is not told to come again where it may have begun', async () => {
    const asked = problemOf(operate.postLong('/v1/services/stop', {}, stop.signal));
    await isHeld(1);
    held[0]?.destroy();
    expect(await asked).toMatch(/^502 supervisor-away: nobody knows whether it began/);
    await new Promise((resolve) => server.close(resolve));
    const refused = problemOf(operate.postLong('/v1/services/stop', {}, stop.signal));
    expect(await refused).toMatch(/^503 supervisor-away/);
  });
});
