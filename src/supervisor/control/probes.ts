/**
 * The probe port: /livez /startupz /readyz /health /health/<service>, answered from the last results.
 * It never redirects, never asks the three z-paths for a login, never waits for a probe.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { codeOf, Failure, messageOf } from '../../base/errors.ts';
import { http } from '../../base/node-http.ts';
import { UpExit } from '../../protocol/exit-codes.ts';
import type { Overall } from '../../protocol/verdict.ts';
import { isSameSecret } from './same-secret.ts';

interface Answer {
  readonly ok: boolean;
  readonly word: string;
}

interface Report {
  readonly status: Overall;
}

/** As the health room offers it; each is a look at what is known already. */
export interface ProbeSource {
  live(): Answer;
  started(): Answer;
  ready(): Answer;
  report(details: boolean): Report;
  /** undefined: no such service. */
  service(name: string, details: boolean): Report | undefined;
}

export interface ProbeOptions {
  readonly port: number;
  /** Whoever shows it sees details; undefined: nobody does. */
  readonly token: () => string | undefined;
  readonly clock: Clock;
}

export interface ProbeServer {
  readonly port: number;
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 128;
/** A probe that has not sent its question by then is none. */
const PATIENCE_MS = 5000;
const CLOSE_MS = 250;
/** Seconds. */
const RETRY_AFTER = '5';

/** Opens the probe port on all addresses. Throws a Failure for exit code 13 where the port cannot be had. */
export async function openProbeServer(source: ProbeSource, options: ProbeOptions): Promise<ProbeServer> {
  const server = http.createServer(
    {
      headersTimeout: PATIENCE_MS,
      requestTimeout: PATIENCE_MS,
      connectionsCheckingInterval: PATIENCE_MS,
      keepAliveTimeout: PATIENCE_MS,
      maxHeaderSize: 8 * 1024,
    },
    (request, response) => answerProbe(source, options, request, response),
  );
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, options.port)));
    server.listen(options.port, resolve);
  });
  // A connection that breaks is the prober's affair.
  server.on('error', () => undefined);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const disarm = options.clock.after(CLOSE_MS, () => server.closeAllConnections());
      await closed;
      disarm();
    },
  };
}

function cannotListen(error: Error, port: number): Failure {
  const code = codeOf(error);
  const why = code === 'EADDRINUSE' ? 'the port is taken' : messageOf(error);
  return new Failure(`cannot listen on port ${port} for probes: ${why}`, {
    code: code === 'EADDRINUSE' ? 'port-taken' : 'cannot-listen',
    remedy: 'set BULKHEAD_PORT to a free port',
    exitCode: UpExit.cannotStart,
    cause: error,
  });
}

function answerProbe(
  source: ProbeSource,
  { token }: ProbeOptions,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // A body is not asked for and not read.
  if (
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > 0
  ) {
    response.setHeader('connection', 'close');
  }
  response.setHeader('x-content-type-options', 'nosniff');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    sendText(request, response, 405, 'use GET or HEAD');
    return;
  }
  const url = request.url?.startsWith('/') ? URL.parse(`http://bulkhead${request.url}`) : null;
  if (url?.search !== '') {
    sendText(request, response, 400, url ? 'no parameters are known here' : 'not a path');
    return;
  }
  const details = mayKnow(request, token());
  const name = serviceName(url.pathname);
  if (url.pathname === '/livez') sendAnswer(request, response, source.live());
  else if (url.pathname === '/startupz') sendAnswer(request, response, source.started());
  else if (url.pathname === '/readyz') sendAnswer(request, response, source.ready());
  else if (url.pathname === '/health') sendReport(request, response, source.report(details), details);
  else {
    const report = name === undefined ? undefined : source.service(name, details);
    if (report) sendReport(request, response, report, details);
    else sendText(request, response, 404, 'not found');
  }
}

function serviceName(path: string): string | undefined {
  const match = /^\/health\/([\w.-]{1,128})$/.exec(path);
  return match?.[1];
}

function mayKnow(request: IncomingMessage, token: string | undefined): boolean {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return token !== undefined && given !== undefined && isSameSecret(given, token);
}

function sendAnswer(request: IncomingMessage, response: ServerResponse, { ok, word }: Answer): void {
  if (!ok) response.setHeader('retry-after', RETRY_AFTER);
  sendText(request, response, ok ? 200 : 503, word);
}

function sendText(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  send(request, response, status, `${text}\n`);
}

function sendReport(
  request: IncomingMessage,
  response: ServerResponse,
  report: Report,
  details: boolean,
): void {
  const body = `${JSON.stringify(report)}\n`;
  const tag = `"${fingerprint(body)}"`;
  response.setHeader('content-type', 'application/health+json');
  // What a token opened is not for a shared cache.
  response.setHeader('cache-control', details ? 'private, max-age=2' : 'max-age=2');
  response.setHeader('vary', 'authorization');
  response.setHeader('etag', tag);
  const failed = report.status === 'fail';
  if (failed) response.setHeader('retry-after', RETRY_AFTER);
  // A failure is always sent whole: who looks only at the code must see 503, not 304.
  if (!failed && request.headers['if-none-match'] === tag) {
    response.writeHead(304).end();
    return;
  }
  send(request, response, failed ? 503 : 200, body);
}

function send(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  response.setHeader('content-length', Buffer.byteLength(body));
  response.writeHead(status);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** FNV-1a over the text: a tag for caches, no proof of anything. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return `${text.length.toString(36)}-${(hash >>> 0).toString(36)}`;
}
