import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProductStatus } from '../../../src/protocol/status.ts';
import { openProbeServer, type ProbeServer } from '../../../src/supervisor/control/probes.ts';
import { openChecks } from '../../../src/supervisor/health/checks.ts';
import { openHealthView } from '../../../src/supervisor/health/health-view.ts';
import { manualClock, realClock } from '../../support/clock.ts';
import { productStatus, serviceStatus } from '../../support/statuses.ts';

const TOKEN = 'secret-token';
let server: ProbeServer;
let product: ProductStatus;

beforeEach(async () => {
  product = productStatus([serviceStatus('app'), serviceStatus('redis', { status: 'disabled' })]);
  const view = openHealthView({ product: () => product, fault: () => undefined });
  server = await openProbeServer(view, { port: 0, token: () => TOKEN, clock: realClock });
});
afterEach(() => server.close());

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port: server.port, path, headers, method, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    asking.on('error', reject);
    asking.end(body);
  });
}

const withToken = { authorization: `Bearer ${TOKEN}` };
const zPaths = ['/livez', '/startupz', '/readyz'];

describe('the probe port', () => {
  it.each(zPaths)('answers %s with 200, a word and no storing', async (path) => {
    const { status, headers, body } = await ask(path);
    expect(status).toBe(200);
    expect(body.length).toBeLessThan(256);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'text/plain; charset=utf-8',
    });
  });

  it('stays alive and started while it stops, and is not ready at once', async () => {
    await ask('/startupz');
    product = { ...product, phase: 'stopping', overall: 'fail' };
    const [live, started, ready] = await Promise.all(zPaths.map((path) => ask(path)));
    expect([live?.status, started?.status, ready?.status]).toEqual([200, 200, 503]);
    expect(ready?.headers['retry-after']).toBe('5');
    expect(ready?.body).toBe('stopping\n');
  });

  it.each([...zPaths, '/health', '/health/app'])('answers HEAD %s like GET, without a body', async (path) => {
    const [head, get] = await Promise.all([ask(path, {}, 'HEAD'), ask(path)]);
    expect(head.status).toBe(get.status);
    expect(head.body).toBe('');
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });

  it.each([
    ['/', 404],
    ['/livez/', 404],
    ['/health/', 404],
    ['/health/nobody', 404],
    ['/health/redis', 404],
    ['/health/../livez', 200],
    ['/health/%61pp', 404],
    ['//livez', 404],
    ['/readyz?verbose', 400],
    ['/health?x=1', 400],
    ['/readyz?', 200],
  ])('answers %s with %i and never redirects', async (path, expected) => {
    const { status, headers } = await ask(path);
    expect(status).toBe(expected);
    expect(headers.location).toBeUndefined();
  });

  it('asks nobody for a login, whatever comes as one', async () => {
    for (const path of [...zPaths, '/health']) {
      const { status, headers } = await ask(path, { authorization: 'Basic wrong' });
      expect(status).toBe(200);
      expect(headers['www-authenticate']).toBeUndefined();
    }
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const { status, headers } = await ask('/readyz', {}, method, 'body');
    expect(status).toBe(405);
    expect(headers.allow).toBe('GET, HEAD');
  });

  it('shows details to who has the token only', async () => {
    product = productStatus(
      [serviceStatus('app', { status: 'backoff', reason: 'crashed', lastLine: 'password=1' })],
      {
        overall: 'fail',
        reason: 'not ready: app crashed',
      },
    );
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Bearer ${TOKEN}x` }]) {
      const { status, body } = await ask('/health', headers);
      expect(status).toBe(503);
      expect(JSON.parse(body)).toEqual({ status: 'fail', version: '1' });
      expect(JSON.parse((await ask('/health/app', headers)).body)).toEqual({ status: 'fail', version: '1' });
    }
    const shown = await ask('/health', withToken);
    expect(shown.headers['content-type']).toBe('application/health+json');
    expect(JSON.parse(shown.body)).toMatchObject({
      status: 'fail',
      checks: { 'app:status': [{ output: 'crashed' }] },
    });
    expect(JSON.parse((await ask('/health/app', withToken)).body).checks).toBeDefined();
    expect(shown.body).not.toContain('password');
  });

  it('shows details to nobody where there is no token', async () => {
    const view = openHealthView({ product: () => product, fault: () => undefined });
    await server.close();
    server = await openProbeServer(view, { port: 0, token: () => undefined, clock: realClock });
    for (const headers of [withToken, { authorization: 'Bearer undefined' }]) {
      const { status, body } = await ask('/health', headers);
      expect([status, JSON.parse(body)]).toEqual([200, { status: 'pass', version: '1' }]);
    }
  });

  it('answers a warning with 200', async () => {
    product = { ...product, overall: 'warn' };
    expect((await ask('/health')).status).toBe(200);
  });

  it('lets a report be kept for 2 s and asked about by its tag', async () => {
    const { headers } = await ask('/health');
    expect(headers['cache-control']).toBe('max-age=2');
    const tag = String(headers.etag);
    const again = await ask('/health', { 'if-none-match': tag });
    expect([again.status, again.body]).toEqual([304, '']);
    expect((await ask('/health', { ...withToken, 'if-none-match': tag })).status).toBe(200);
    product = { ...product, overall: 'fail' };
    const failed = await ask('/health');
    expect((await ask('/health', { 'if-none-match': String(failed.headers.etag) })).status).toBe(503);
  });

  it('answers in less than the kubelet’s 10 KiB with 50 services that are all down', async () => {
    const services = Array.from({ length: 50 }, (_, index) =>
      serviceStatus(`service-${index}`, { status: 'failed', reason: 'x'.repeat(400) }),
    );
    product = productStatus(services, { overall: 'fail', reason: 'y'.repeat(1000) });
    const { body } = await ask('/health', withToken);
    expect(body.length).toBeLessThan(8192);
    expect(Object.keys(JSON.parse(body).checks)).toHaveLength(50);
  });

  it('answers while a probe hangs', async () => {
    const checks = openChecks(
      realClock,
      { fill: () => '', readFile: () => undefined, runProbe: () => new Promise(() => {}) },
      { passed: () => {}, failed: () => {}, busy: () => {} },
    );
    const order: string[] = [];
    const plan = {
      probe: { kind: 'exec', argv: ['hangs'] },
      interval: 1000,
      timeout: 60_000,
      retries: 3,
      startPeriod: 0,
      startInterval: 1000,
    } as const;
    checks.start('app', 1, plan);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all(zPaths.map(async (path) => order.push(`${path} ${(await ask(path)).status}`)));
    expect(order.sort()).toEqual(['/livez 200', '/readyz 200', '/startupz 200']);
    expect(checks.statusOf('app')?.at).toBeUndefined();
    checks.stopAll();
  });

  it('says which port is taken and how to choose another', async () => {
    const view = openHealthView({ product: () => product, fault: () => undefined });
    const second = openProbeServer(view, { port: server.port, token: () => undefined, clock: realClock });
    await expect(second).rejects.toMatchObject({
      message: `cannot listen on port ${server.port} for probes: the port is taken`,
      remedy: 'set BULKHEAD_PORT to a free port',
      exitCode: 13,
    });
  });

  it('survives what is no HTTP, and answers the next', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write('\x16\x03\x01 not http\r\n\r\n'));
      socket.resume();
      socket.on('close', () => resolve());
      socket.on('error', () => undefined);
    });
    expect((await ask('/livez')).status).toBe(200);
  });

  it('closes though a client keeps its connection open in the middle of a question', async () => {
    const clock = manualClock();
    const view = openHealthView({ product: () => product, fault: () => undefined });
    const other = await openProbeServer(view, { port: 0, token: () => undefined, clock });
    const socket = connect(other.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    await new Promise((resolve) => socket.write('GET /livez HTTP/1.1\r\n', resolve));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.resume();
    const closed = other.close();
    clock.advance(250);
    await closed;
    await ended;
  });
});
