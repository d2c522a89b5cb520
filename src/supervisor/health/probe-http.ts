import type { IncomingMessage } from 'node:http';
import { http } from '../../base/node-http.ts';
import { explainConnection, localLookup } from './probe-tcp.ts';

/** The kubelet reads this much of an answer as well. */
const LONGEST_BODY = 10 * 1024;
const SHOWN_BODY = 120;

/**
 * GET; 200 to 399 is well, as for the kubelet. A redirect is an answer and is not followed: where it leads is not this
 * service's health. A new connection each time, because a kept one would hide a server that accepts no more.
 * Resolves with why it is not well, or undefined.
 */
export async function askHttp(url: string, signal: AbortSignal): Promise<string | undefined> {
  const target = URL.parse(url);
  if (!target || (target.protocol !== 'http:' && target.protocol !== 'https:'))
    return `not a http address: ${url}`;
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = target.protocol === 'https:';
  const place = { host, port: Number(target.port || (secure ? 443 : 80)) };
  // Only who asks for https pays for it: TLS costs more memory than the rest of PID 1.
  const request = secure ? (await import('node:https')).request : http.request;
  return new Promise((resolve) => {
    const asking = request({
      ...place,
      path: target.pathname + target.search,
      agent: false,
      signal,
      headers: { 'user-agent': 'bulkhead-probe', accept: '*/*', connection: 'close', host: target.host },
      ...localLookup(host),
      // A certificate for 127.0.0.1 is self-signed; the kubelet does not verify it either.
      ...(secure ? { rejectUnauthorized: false } : {}),
    });
    asking.on('response', (response) => {
      // The request itself tells errors only before the headers.
      response.on('error', (error) => resolve(explainConnection(error, place)));
      readBeginning(response, (body) => {
        resolve(judge(response.statusCode ?? 0, body));
        asking.destroy();
      });
    });
    asking.on('error', (error) => resolve(explainConnection(error, place)));
    asking.end();
  });
}

function judge(status: number, body: string): string | undefined {
  if (status >= 200 && status < 400) return undefined;
  const shown = body.replace(/[\s\x00-\x1f\x7f]+/g, ' ').trim();
  const cut = shown.length > SHOWN_BODY ? `${shown.slice(0, SHOWN_BODY)}…` : shown;
  return cut === '' || cut.startsWith('<') ? `HTTP ${status}` : `HTTP ${status}: ${cut}`;
}

/** Reads to the end, so that the server sees a client that was satisfied; but not for ever. */
function readBeginning(response: IncomingMessage, done: (body: string) => void): void {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    body += text;
    if (body.length >= LONGEST_BODY) done(body);
  });
  response.on('end', () => done(body));
}
