import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { wordsOf } from '../problem.ts';
import type { Guard } from './guard.ts';
import { Refused } from './guard.ts';

export interface FilterProxy {
  readonly port: number;
  /** What was refused so far, in words, each once. */
  readonly refusals: ReadonlySet<string>;
  /** Bytes that came from the outside so far. */
  received(): number;
  close(): Promise<void>;
}

export interface ProxyOptions {
  guard: Guard;
  /** At most this many bytes from the outside, of all connections together. */
  mostBytes: number;
  /** Called once, when that was too little; from then on nothing gets through any more. */
  onFull?: () => void;
}

const MOST_CONNECTIONS = 256;
const HOP_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The only way out that the browser has: a forward proxy (CONNECT, and plain HTTP in absolute form) on a
 * free port of the loopback. It connects through the guard, and it counts.
 */
export async function startProxy({ guard, mostBytes, onFull }: ProxyOptions): Promise<FilterProxy> {
  let received = 0;
  const refusals = new Set<string>();
  const sockets = new Set<Socket>();
  const full = () => received > mostBytes;

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const count = (socket: Socket) =>
    socket.on('data', (chunk: Buffer) => {
      const before = full();
      received += chunk.length;
      if (before || !full()) return;
      for (const one of sockets) one.destroy();
      onFull?.();
    });
  /** A counted connection to the outside, or why there is none. */
  const open = async (host: string, port: number): Promise<Socket> => {
    if (full()) throw new Refused('refused: this page has had all its bytes');
    const socket = await guard.connect(host, port);
    keep(socket);
    return socket;
  };
  const note = (error: unknown) => {
    if (error instanceof Refused) refusals.add(error.message);
    return error instanceof Refused ? 403 : 502;
  };

  const server = createServer({ requestTimeout: 0, maxHeaderSize: 64 * 1024 }, (asked, answer) => {
    forward(asked, answer).catch((error: unknown) => {
      if (answer.headersSent) return answer.destroy();
      answer.writeHead(note(error), { 'content-type': 'text/plain', connection: 'close' });
      answer.end(`${wordsOf(error)}\n`);
    });
  });
  server.maxConnections = MOST_CONNECTIONS;

  async function forward(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = URL.canParse(asked.url ?? '') ? new URL(asked.url ?? '') : undefined;
    if (url?.protocol !== 'http:') throw new Refused('refused: a proxy takes whole http addresses');
    const socket = await open(url.hostname, Number(url.port || 80));
    if (answer.destroyed) return void socket.destroy();
    count(socket);
    const headers = Object.entries(asked.headers).filter(([name]) => !HOP_HEADERS.has(name));
    const onward = request({
      createConnection: () => socket,
      method: asked.method,
      path: url.pathname + url.search,
      headers: { ...Object.fromEntries(headers), host: url.host, connection: 'close' },
      setHost: false,
    });
    answer.once('close', () => socket.destroy());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    onward.once('error', reject);
    onward.once('response', (came) => {
      const back = Object.entries(came.headers).filter(([name]) => !HOP_HEADERS.has(name));
      answer.writeHead(came.statusCode ?? 502, Object.fromEntries(back));
      came.pipe(answer);
      came.once('error', reject);
      came.once('end', resolve);
      // Cut off before its end: the browser must see a cut, not a whole body.
      came.once('close', () => {
        if (!came.complete) answer.destroy();
      });
    });
    asked.pipe(onward);
    await promise;
  }

  server.on('connect', (asked: IncomingMessage, client: Socket, head: Buffer) => {
    // An IPv6 host comes in brackets; URL also gives every spelling of a number its plain form.
    const address = `http://${asked.url}/`;
    const url = URL.canParse(address) ? new URL(address) : undefined;
    const port = Number(/:(\d+)$/.exec(asked.url ?? '')?.[1]);
    const opened =
      url && port > 0 && port < 65_536
        ? open(url.hostname, port)
        : Promise.reject(new Refused('refused: no host and port'));
    opened.then(
      (socket) => {
        if (client.destroyed) return void socket.destroy();
        count(socket);
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        if (head.length > 0) socket.write(head);
        socket.pipe(client);
        client.pipe(socket);
        socket.once('close', () => client.destroy());
        client.once('close', () => socket.destroy());
      },
      (error: unknown) => {
        const status = note(error);
        client.end(
          `HTTP/1.1 ${status} ${status === 403 ? 'Forbidden' : 'Bad Gateway'}\r\nConnection: close\r\n\r\n`,
        );
      },
    );
  });
  server.on('connection', keep);
  server.on('clientError', (_error, socket) => socket.destroy());

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    refusals,
    received: () => received,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
