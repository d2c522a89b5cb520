import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Metrics, type Outcome } from './metrics.ts';
import { routeOf } from './routes.ts';
import { Visitors } from './visitors.ts';

export interface Watch {
  /** Prometheus' text format. */
  text(): string;
  stop(): void;
}

type Started = { request: IncomingMessage; response: ServerResponse; server: Server };

const now = () => performance.now();

/**
 * Counts every request of this process's servers but those of `own`. Node itself tells of each, whatever answers it:
 * pages, routes, files, and what fails before Next has seen it.
 */
export function watchRequests(own: Server): Watch {
  const metrics = new Metrics();
  const visitors = new Visitors();
  const onStart = (message: unknown): void => {
    const { request, response, server } = message as Started;
    if (server === own) return;
    const began = now();
    const route = routeOf(request.url ?? '');
    // Whoever asks whether we live is no visitor.
    if (route !== '/api/health') visitors.saw(addressOf(request), request.headers['user-agent'] ?? '', began);
    response.once('close', () => metrics.count(route, outcomeOf(response), (now() - began) / 1000));
  };
  subscribe('http.server.request.start', onStart);
  return {
    text: () => metrics.text(visitors.count(now())),
    stop: () => void unsubscribe('http.server.request.start', onStart),
  };
}

function outcomeOf({ writableFinished, statusCode }: ServerResponse): Outcome {
  if (!writableFinished) return 'aborted';
  return `${Math.floor(statusCode / 100)}xx` as Outcome;
}

/** Behind a proxy the one it names; anybody can name one, which makes a number wrong and nothing else. */
function addressOf({ headers, socket }: IncomingMessage): string {
  const [first = ''] = String(headers['x-forwarded-for'] ?? '').split(',', 1);
  return first.trim().slice(0, 100) || socket.remoteAddress || '';
}
