import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { after, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { readAllowed } from '../src/net/allowed.ts';
import { fetchGuarded } from '../src/net/fetch.ts';
import { makeGuard, type Resolve } from '../src/net/guard.ts';
import { type FilterProxy, startProxy } from '../src/net/proxy.ts';
import { makeCertificate } from './support/certificate.ts';

const limits = { timeoutMs: 5_000, mostBytes: 1000, userAgent: 'test' };
const closers: (() => void | Promise<void>)[] = [];
after(async () => {
  for (const close of closers) await close();
});

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  closers.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server that nobody may reach: it counts who comes. */
async function secret() {
  const seen = { connections: 0 };
  const port = await listen(
    createTcpServer((socket) => {
      seen.connections += 1;
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret');
    }),
  );
  return { port, seen };
}

async function proxyFor(options: {
  allow?: string;
  resolve?: Resolve;
  mostBytes?: number;
  onFull?: () => void;
}): Promise<FilterProxy> {
  const guard = makeGuard(readAllowed(options.allow ?? ''), options.resolve);
  const { mostBytes = 1e6, onFull } = options;
  const proxy = await startProxy({ guard, mostBytes, ...(onFull ? { onFull } : {}) });
  closers.push(() => proxy.close());
  return proxy;
}

/** The first line of what the proxy says to raw bytes. */
function say(proxy: FilterProxy, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(proxy.port, '127.0.0.1', () => socket.write(text));
    let all = '';
    socket.on('data', (chunk) => {
      all += chunk;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(all));
  });
}

const firstLine = async (proxy: FilterProxy, text: string) => (await say(proxy, text)).split('\r\n')[0];

test('loopback and private addresses are refused in every spelling, and see no connection', async () => {
  const { port, seen } = await secret();
  const proxy = await proxyFor({});
  const spellings = [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::1]',
    '0.0.0.0',
    '[::]',
    'localhost',
    '10.0.0.1',
    '169.254.169.254',
  ];
  for (const host of spellings) {
    assert.equal(
      await firstLine(proxy, `CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`),
      'HTTP/1.1 403 Forbidden',
      host,
    );
    const get = `GET http://${host}:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`;
    assert.equal(await firstLine(proxy, get), 'HTTP/1.1 403 Forbidden', host);
  }
  assert.equal(seen.connections, 0);
  assert.match([...proxy.refusals].join('\n'), /refused 127\.0\.0\.1 port \d+: is not a public address/);
});

test('what is no address of the web is refused', async () => {
  const proxy = await proxyFor({});
  for (const line of [
    'GET /',
    'GET file:///etc/passwd',
    'GET ftp://127.0.0.1/',
    'CONNECT nonsense',
    'CONNECT :80',
    'CONNECT a/b',
    'CONNECT 8.8.8.8:0',
    'CONNECT 8.8.8.8:99999',
  ]) {
    assert.match((await firstLine(proxy, `${line} HTTP/1.1\r\nHost: x\r\n\r\n`)) ?? '', /403|400/, line);
  }
  assert.equal(await firstLine(proxy, 'CONNECT 8.8.8.8:25 HTTP/1.1\r\n\r\n'), 'HTTP/1.1 403 Forbidden');
});

test('a name that answers differently the second time is resolved once, and all its addresses count', async () => {
  const { port, seen } = await secret();
  const answers = [['93.184.215.14', '127.0.0.1'], ['127.0.0.1'], ['::ffff:127.0.0.1'], []];
  let asked = 0;
  const proxy = await proxyFor({ resolve: async () => answers[asked++] ?? ['127.0.0.1'] });
  for (const expected of [403, 403, 403, 502]) {
    assert.match(
      (await firstLine(proxy, `CONNECT rebind.test:${port} HTTP/1.1\r\n\r\n`)) ?? '',
      new RegExp(`${expected}`),
    );
  }
  assert.equal(asked, 4);
  assert.equal(seen.connections, 0);
});

test('the connection goes to the address that was checked, not to a second answer', async () => {
  const { port, seen } = await secret();
  const site = await listen(createServer((_request, response) => void response.end('the right one')));
  let asked = 0;
  const resolve: Resolve = async () => (asked++ % 2 === 0 ? ['127.0.0.1'] : ['127.0.0.2']);
  const guard = makeGuard(readAllowed(`127.0.0.1:${site}`), resolve);
  const came = await fetchGuarded(guard, `http://rebind.test:${site}/`, limits);
  assert.equal(came.body.toString(), 'the right one');
  assert.equal(asked, 1);
  await assert.rejects(
    fetchGuarded(guard, `http://rebind.test:${site}/`, limits),
    /refused rebind\.test \(127\.0\.0\.2\)/,
  );
  await assert.rejects(fetchGuarded(guard, `http://rebind.test:${port}/`, limits), /refused rebind\.test/);
  assert.equal(seen.connections, 0);
});

test('our own fetches follow no redirect to where the browser may not go', async () => {
  const { port, seen } = await secret();
  const site = createServer(
    (_request, response) => void response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end(),
  );
  const at = await listen(site);
  const guard = makeGuard(readAllowed(`127.0.0.1:${at}`));
  await assert.rejects(
    fetchGuarded(guard, `http://127.0.0.1:${at}/icon`, limits),
    /refused 127\.0\.0\.1 port/,
  );
  await assert.rejects(fetchGuarded(guard, 'file:///etc/passwd', limits), /cannot get file: addresses/);
  assert.equal(seen.connections, 0);
});

test('TLS is spoken over the checked connection, and certificates count', async () => {
  const { key, cert } = makeCertificate();
  const names: unknown[] = [];
  const site = createSecureServer({ key, cert }, (asked, response) => {
    names.push((asked.socket as unknown as { servername: unknown }).servername);
    response.end('secured');
  });
  const at = await listen(site);
  const guard = makeGuard(readAllowed(`127.0.0.1:${at}`), async () => ['127.0.0.1']);
  await assert.rejects(fetchGuarded(guard, `https://site.test:${at}/`, limits), /self-signed certificate/);
  const trusted = getCACertificates();
  setDefaultCACertificates([cert]);
  try {
    for (const host of ['site.test', '127.0.0.1']) {
      assert.equal((await fetchGuarded(guard, `https://${host}:${at}/`, limits)).body.toString(), 'secured');
    }
    await assert.rejects(fetchGuarded(guard, `https://other.test:${at}/`, limits), /altnames|match/);
  } finally {
    setDefaultCACertificates(trusted);
  }
  assert.deepEqual(names, ['site.test', false]);
});

test('redirects and sizes of our own fetches have an end', async () => {
  const site = createServer((asked, response) => {
    if (asked.url === '/loop') return void response.writeHead(302, { location: '/loop' }).end();
    if (asked.url === '/never') return;
    response.end(Buffer.alloc(5000));
  });
  const at = await listen(site);
  closers.push(() => site.closeAllConnections());
  const guard = makeGuard(readAllowed(`127.0.0.1:${at}`));
  const url = `http://127.0.0.1:${at}`;
  await assert.rejects(fetchGuarded(guard, `${url}/loop`, limits), /more than 5 redirects/);
  await assert.rejects(fetchGuarded(guard, `${url}/large`, limits), /more than 1000 bytes/);
  await assert.rejects(fetchGuarded(guard, `${url}/never`, { ...limits, timeoutMs: 50 }), /took too long/);
  assert.equal((await fetchGuarded(guard, `${url}/large`, { ...limits, cut: true })).body.length, 1000);
});

test('what is allowed gets through whole, by both ways', async () => {
  const site = createServer((asked, response) => {
    asked.resume();
    asked.once('end', () =>
      response.end(
        `${asked.method} ${asked.url} ${asked.headers['x-kept']} ${asked.headers['proxy-connection']}`,
      ),
    );
  });
  const at = await listen(site);
  const proxy = await proxyFor({ allow: `127.0.0.1:${at}` });
  const head = `Host: 127.0.0.1:${at}\r\nX-Kept: yes\r\nProxy-Connection: keep-alive\r\nConnection: close\r\n\r\n`;
  assert.match(
    await say(proxy, `GET http://127.0.0.1:${at}/a?b=c HTTP/1.1\r\n${head}`),
    /GET \/a\?b=c yes undefined/,
  );
  const tunnel = `CONNECT 127.0.0.1:${at} HTTP/1.1\r\n\r\nGET /through HTTP/1.1\r\n${head}`;
  assert.match(await say(proxy, tunnel), /200 Connection Established[\s\S]*GET \/through yes/);
  assert.ok(proxy.received() > 100);
});

test('bytes are counted over all connections; then nothing gets through any more', async () => {
  const site = createServer((_asked, response) => void response.end(Buffer.alloc(400_000)));
  const at = await listen(site);
  let full = 0;
  const proxy = await proxyFor({
    allow: `127.0.0.1:${at}`,
    mostBytes: 1_000_000,
    onFull: () => {
      full += 1;
    },
  });
  const get = () =>
    new Promise<boolean>((resolve) => {
      const asked = request(
        { host: '127.0.0.1', port: proxy.port, path: `http://127.0.0.1:${at}/`, agent: false },
        (came) => {
          came.resume();
          came.once('close', () => resolve(came.statusCode === 200 && came.complete));
        },
      );
      asked.once('error', () => resolve(false));
      asked.end();
    });
  assert.deepEqual([await get(), await get(), await get(), await get()], [true, true, false, false]);
  assert.equal(full, 1);
});
