/** The control socket: people's door to PID 1. Plain node:http, because PID 1 loads no web framework. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { http } from '../../base/node-http.ts';
import { DATA_HEADER } from '../../protocol/control.ts';
import { RequestFailure, sendError } from './answers.ts';
import { listenOnFirst, type SocketFiles } from './listen.ts';
import { badRequest } from './request-body.ts';
import { EVERYTHING, type Rights } from './rights.ts';
import { route } from './routes.ts';
import type { ControlTarget } from './target.ts';

export interface ControlPorts {
  readonly clock: Clock;
  readonly files: SocketFiles;
  /** Undefined: whoever can open the socket may do everything. */
  readonly rights?: Rights;
}

export interface ControlServer {
  readonly path: string;
  /** Ends what follows or waits, lets answers leave, removes the socket. */
  close(): Promise<void>;
}

/** An answer under way when we close gets this long to leave. */
const CLOSE_MS = 250;
const MOST_CONNECTIONS = 64;

/**
 * Opens the control socket on the first usable path (see protocol/socket-path.ts).
 * Throws a Failure with code `no-control-socket` where none is.
 */
export async function openControlServer(
  target: ControlTarget,
  paths: readonly string[],
  ports: ControlPorts,
): Promise<ControlServer> {
  const closing = new AbortController();
  const server = http.createServer(
    // A followed stream and a slow change are quiet for long, so only the headers are timed.
    { requestTimeout: 0, headersTimeout: 10_000, keepAliveTimeout: 1000, maxHeaderSize: 16 * 1024 },
    (request, response) => void answer(request, response, target, ports, closing.signal),
  );
  server.maxConnections = MOST_CONNECTIONS;
  const path = await listenOnFirst(server, paths, ports.files);
  return {
    path,
    async close() {
      closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const stopTimer = ports.clock.after(CLOSE_MS, () => server.closeAllConnections());
      await closed;
      stopTimer();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  target: ControlTarget,
  { clock, rights = EVERYTHING }: ControlPorts,
  closing: AbortSignal,
): Promise<void> {
  response.setHeader(DATA_HEADER, encodeURIComponent(target.dataDir));
  // A client that leaves in the middle is no error of ours.
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  try {
    const url = parseUrl(request.url ?? '');
    refuseMisdirected(request, target.dataDir);
    await route({ request, response, query: url.searchParams, target, clock, rights, closing }, url.pathname);
  } catch (error) {
    sendError(response, error);
    // Closing while the client still writes would tear the answer away from it; it closes when it has read it.
    request.resume();
  }
}

/** A client that means another volume (two supervisors on one machine) must not be served, least of all a change. */
function refuseMisdirected(request: IncomingMessage, dataDir: string): void {
  const meant = request.headers[DATA_HEADER];
  if (typeof meant !== 'string' || meant.split(',').includes(encodeURIComponent(dataDir))) return;
  throw new RequestFailure(421, 'other-volume', `cannot serve this: this supervisor runs ${dataDir}`);
}

function parseUrl(text: string): URL {
  const url = text.startsWith('/') ? URL.parse(`http://bulkhead${text}`) : null;
  if (url) return url;
  throw badRequest('its address is not a path');
}
