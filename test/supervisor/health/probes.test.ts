import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { askHttp } from '../../../src/supervisor/health/probe-http.ts';
import { askPostgres } from '../../../src/supervisor/health/probe-postgres.ts';
import { askTcp } from '../../../src/supervisor/health/probe-tcp.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Listens on a free port (or a path) and is closed, with its connections, after the test. */
async function listen(server: Server, where: string | number = 0, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => {
    if (typeof where === 'string') server.listen(where, resolve);
    else server.listen(where, host, resolve);
  });
  return typeof where === 'string' ? 0 : (server.address() as AddressInfo).port;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const patient = (): AbortSignal => new AbortController().signal;

describe('the http probe', () => {
  const serve = (listener: RequestListener, host?: string): Promise<number> =>
    listen(createHttpServer(listener), 0, host);

  it.each([200, 204, 302, 399])('takes %i for well', async (status) => {
    const port = await serve((_request, response) => response.writeHead(status).end());
    expect(await askHttp(`http://127.0.0.1:${port}/x?y=1`, patient())).toBeUndefined();
  });

  it.each([400, 404, 500, 503])('takes %i for not well', async (status) => {
    const port = await serve((_request, response) => response.writeHead(status).end());
    expect(await askHttp(`http://127.0.0.1:${port}/`, patient())).toBe(`HTTP ${status}`);
  });

  it('shows the beginning of what a service says about itself, but no page', async () => {
    const port = await serve((request, response) =>
      response
        .writeHead(503)
        .end(request.url === '/json' ? `{"error":\n"database ${'x'.repeat(500)}"}` : '<html>'),
    );
    expect(await askHttp(`http://127.0.0.1:${port}/json`, patient())).toMatch(
      /^HTTP 503: \{"error": "database x+…$/,
    );
    expect(await askHttp(`http://127.0.0.1:${port}/`, patient())).toBe('HTTP 503');
  });

  it('asks with GET, once, for the whole path, and does not keep the connection', async () => {
    const seen: unknown[] = [];
    const port = await serve((request, response) => {
      seen.push([request.method, request.url, request.headers.connection, request.headers.host]);
      response.end();
    });
    await askHttp(`http://127.0.0.1:${port}/api/health?deep=1`, patient());
    expect(seen).toEqual([['GET', '/api/health?deep=1', 'close', `127.0.0.1:${port}`]]);
  });

  it('does not follow a redirect', async () => {
    let other = 0;
    const elsewhere = await serve((_request, response) => {
      other += 1;
      response.writeHead(500).end();
    });
    const port = await serve((_request, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${elsewhere}/` }).end(),
    );
    expect(await askHttp(`http://127.0.0.1:${port}/`, patient())).toBeUndefined();
    expect(other).toBe(0);
  });

  it('finds a server on localhost that listens on one of the two loopback addresses only', async () => {
    const port = await serve((_request, response) => response.end());
    expect(await askHttp(`http://localhost:${port}/`, patient())).toBeUndefined();
  });

  it('says where nobody listens', async () => {
    const port = await freePort();
    expect(await askHttp(`http://127.0.0.1:${port}/`, patient())).toBe(
      `connection refused at 127.0.0.1:${port}`,
    );
    expect(await askHttp(`http://localhost:${port}/`, patient())).toBe(
      `connection refused at localhost:${port}`,
    );
  });

  it('is called off in the middle of an answer that does not end', async () => {
    const call = new AbortController();
    const port = await serve((_request, response) => {
      response.write('a beginning');
      setImmediate(() => call.abort());
    });
    expect(await askHttp(`http://127.0.0.1:${port}/`, call.signal)).toBeTypeOf('string');
  });

  it('does not read for ever what never ends', async () => {
    const port = await serve((_request, response) => {
      const more = (): void =>
        void response.write('x'.repeat(4096), () => response.destroyed || setImmediate(more));
      more();
    });
    expect(await askHttp(`http://127.0.0.1:${port}/`, patient())).toBeUndefined();
  });

  it('takes an answer that breaks off for not well', async () => {
    const port = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    expect(await askHttp(`http://127.0.0.1:${port}/`, patient())).toMatch(
      /connection closed by|cannot connect/,
    );
  });

  it('takes what is no http for not well', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    const port = await listen(server);
    expect(await askHttp(`http://127.0.0.1:${port}/`, patient())).toBeTypeOf('string');
    expect(await askHttp('ftp://127.0.0.1/', patient())).toMatch(/not a http address/);
  });
});

describe('the tcp probe', () => {
  it('is satisfied by a connection', async () => {
    const port = await listen(createServer((socket) => socket.resume()));
    expect(await askTcp({ host: '127.0.0.1', port }, patient())).toBeUndefined();
    expect(await askTcp({ host: 'localhost', port }, patient())).toBeUndefined();
  });

  it('says where nobody listens', async () => {
    const port = await freePort();
    expect(await askTcp({ host: '127.0.0.1', port }, patient())).toBe(
      `connection refused at 127.0.0.1:${port}`,
    );
  });

  it('is called off by an abort', async () => {
    const call = new AbortController();
    call.abort();
    const port = await listen(createServer((socket) => socket.resume()));
    expect(await askTcp({ host: '127.0.0.1', port }, call.signal)).toBeTypeOf('string');
  });
});

describe('the postgres probe', () => {
  /** A server that answers the startup packet with these bytes; it checks the packet first. */
  async function answering(bytes: Buffer, where: string | number = 0): Promise<number> {
    return listen(
      createServer((socket) => {
        socket.once('data', (packet) => {
          const whole = packet.readInt32BE(0) === packet.length && packet.readInt32BE(4) === 196_608;
          if (whole && packet.toString('latin1', 8).startsWith('user\0')) socket.write(bytes);
          else socket.destroy();
        });
      }),
      where,
    );
  }

  function refusal(code: string, message: string): Buffer {
    const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
    const head = Buffer.alloc(5);
    head.write('E');
    head.writeInt32BE(fields.length + 4, 1);
    return Buffer.concat([head, fields]);
  }

  const PASSWORD_WANTED = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

  it('is satisfied by being asked for a password', async () => {
    const port = await answering(PASSWORD_WANTED);
    expect(await askPostgres('127.0.0.1', port, patient())).toBeUndefined();
  });

  it.each([
    ['28000', 'no pg_hba.conf entry'],
    ['53300', 'sorry, too many clients already'],
    ['3D000', 'database "postgres" does not exist'],
  ])('takes the refusal %s for a server that is there', async (code, message) => {
    const port = await answering(refusal(code, message));
    expect(await askPostgres('127.0.0.1', port, patient())).toBeUndefined();
  });

  it.each([
    ['the database system is starting up', { busy: 'the database system is starting up' }],
    [
      'the database system is in recovery mode',
      { busy: 'recovering: the database system is in recovery mode' },
    ],
    ['the database system is shutting down', 'the database system is shutting down'],
  ])('takes 57P03, %s, for not well, and for busy where that ends by itself', async (message, answer) => {
    const port = await answering(refusal('57P03', message));
    expect(await askPostgres('127.0.0.1', port, patient())).toEqual(answer);
  });

  it.each([
    ['starting', { busy: 'the database system is starting up' }],
    ['stopping', 'the database system is shutting down'],
  ])('does not ask one that says of itself that it is %s', async (phase, words) => {
    let asked = 0;
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-pg-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const server = createServer((socket) => {
      asked += 1;
      socket.write(PASSWORD_WANTED);
    });
    await listen(server, join(folder, '.s.PGSQL.5432'));
    const files: Record<string, string> = {
      [`${folder}/.s.PGSQL.5432.lock`]: `7\n/data/pg/main\n1700000000\n5432\n${folder}\n`,
      '/data/pg/main/postmaster.pid': `7\n/data/pg/main\n1700000000\n5432\n${folder}\nlocalhost\n 1 2\n${phase}\n`,
    };
    const ask = () => askPostgres(folder, 5432, patient(), (path) => files[path]);
    expect([await ask(), asked]).toEqual([words, 0]);
    for (const well of ['ready   ', 'standby ', 'unheard of']) {
      files['/data/pg/main/postmaster.pid'] =
        `7\n/data/pg/main\n1\n5432\n${folder}\nlocalhost\n 1 2\n${well}\n`;
      expect(await ask()).toBeUndefined();
    }
    files['/data/pg/main/postmaster.pid'] = `7\n/data/pg/main\n1\n5432\n${folder}\n`;
    expect(await ask()).toEqual({ busy: 'the database system is starting up' });
    // Closed to us, or torn: it is asked, as ever.
    delete files['/data/pg/main/postmaster.pid'];
    expect(await ask()).toBeUndefined();
    files[`${folder}/.s.PGSQL.5432.lock`] = '7\n';
    expect([await ask(), asked]).toEqual([undefined, 5]);
  });

  it('waits for a refusal that comes in pieces', async () => {
    const bytes = refusal('57P03', 'the database system is shutting down');
    const server = createServer((socket) => {
      socket.once('data', () => {
        socket.write(bytes.subarray(0, 3), () => setImmediate(() => socket.write(bytes.subarray(3))));
      });
    });
    const port = await listen(server);
    expect(await askPostgres('127.0.0.1', port, patient())).toBe('the database system is shutting down');
  });

  it('finds the socket in a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-pg-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    expect(await askPostgres(folder, 5432, patient())).toBe(`no socket at ${folder}/.s.PGSQL.5432`);
    await answering(PASSWORD_WANTED, join(folder, '.s.PGSQL.5432'));
    expect(await askPostgres(folder, 5432, patient())).toBeUndefined();
  });

  it('is not satisfied by another server, nor by one that hangs up', async () => {
    const http = await listen(createHttpServer());
    expect(await askPostgres('127.0.0.1', http, patient())).toBe('what answers there is not PostgreSQL');
    const rude = await listen(createServer((socket) => socket.end()));
    expect(await askPostgres('127.0.0.1', rude, patient())).toMatch(/closed/);
  });

  it('is called off where a server takes the connection and says nothing', async () => {
    const call = new AbortController();
    const port = await listen(createServer((socket) => socket.once('data', () => call.abort())));
    expect(await askPostgres('127.0.0.1', port, call.signal)).toBeTypeOf('string');
  });
});
