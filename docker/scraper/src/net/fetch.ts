import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect as connectTls } from 'node:tls';
import { Problem } from '../problem.ts';
import type { Guard } from './guard.ts';

export interface Fetched {
  /** Where the last redirect led. */
  readonly url: string;
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

export interface FetchLimits {
  readonly timeoutMs: number;
  /** A longer body is an error, or is cut where `cut` says so. */
  readonly mostBytes: number;
  readonly cut?: boolean;
  readonly userAgent: string;
}

const MOST_REDIRECTS = 5;

/** A GET of our own (icons, robots.txt), through the same guard as the browser's, each redirect too. */
export async function fetchGuarded(guard: Guard, address: string, limits: FetchLimits): Promise<Fetched> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  let url = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const came = await getOnce(guard, new URL(url), limits, signal);
    const location = came.status >= 300 && came.status < 400 ? came.location : undefined;
    if (!location || !URL.canParse(location, url)) return { ...came, url };
    url = new URL(location, url).href;
  }
  throw new Problem(`cannot get ${address}: more than ${MOST_REDIRECTS} redirects`);
}

type Answer = Omit<Fetched, 'url'> & { location: string | undefined };

async function getOnce(guard: Guard, url: URL, limits: FetchLimits, signal: AbortSignal): Promise<Answer> {
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') throw new Problem(`cannot get ${url.protocol} addresses`);
  signal.throwIfAborted();
  const plain = await guard.connect(url.hostname, Number(url.port || (secure ? 443 : 80)));
  plain.on('error', () => {});
  // A name in brackets or digits is no server name (RFC 6066, 3).
  const servername = /^[\d.]+$|^\[/.test(url.hostname) ? '' : url.hostname;
  const socket = secure ? connectTls({ socket: plain, servername, host: url.hostname }) : plain;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const stop = () => reject(new Problem(`cannot get ${url.href}: it took too long`));
  signal.addEventListener('abort', stop, { once: true });
  let asked: ClientRequest | undefined;
  try {
    socket.on('error', reject);
    asked = request({
      createConnection: () => socket,
      host: url.hostname,
      port: url.port,
      path: url.pathname + url.search,
      headers: { host: url.host, 'user-agent': limits.userAgent, accept: '*/*', connection: 'close' },
    });
    asked.once('error', reject);
    asked.once('response', (came) => readBody(came, url, limits).then(resolve, reject));
    asked.end();
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    asked?.destroy();
    socket.destroy();
    plain.destroy();
  }
}

async function readBody(came: IncomingMessage, url: URL, limits: FetchLimits): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of came as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= limits.mostBytes) continue;
    if (limits.cut) break;
    throw new Problem(`cannot get ${url.href}: more than ${limits.mostBytes} bytes`);
  }
  return {
    status: came.statusCode ?? 0,
    type: came.headers['content-type'] ?? '',
    location: came.headers.location,
    body: Buffer.concat(chunks).subarray(0, limits.mostBytes),
  };
}
