import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { ChangeAction, HealthAnswer, ReloadAnswer } from '../../protocol/control.ts';
import { SCHEMA_VERSION } from '../../protocol/status.ts';
import { RequestFailure, sendJson } from './answers.ts';
import { changeServices } from './changes.ts';
import { streamEvents } from './event-route.ts';
import { runExec } from './exec-route.ts';
import { streamLogs } from './log-route.ts';
import { badRequest, isTextList, readBoolean, readObject } from './request-body.ts';
import { runProgramFor } from './run-route.ts';
import type { ControlTarget } from './target.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly target: ControlTarget;
  readonly clock: Clock;
  /** Aborted when the server closes: whoever waits or follows ends. */
  readonly closing: AbortSignal;
}

type Route = (exchange: Exchange) => void | Promise<void>;

const DEFAULT_CHANGE_TIMEOUT = 120_000;
/** setTimeout's own limit is 2^31 ms; nobody waits longer than a day. */
const LONGEST_TIMEOUT = 86_400_000;

const ROUTES: Readonly<Record<string, { readonly keys: readonly string[]; readonly run: Route }>> = {
  'GET /v1/status': { keys: [], run: ({ response, target }) => sendJson(response, 200, target.product()) },
  'GET /v1/health': { keys: ['level'], run: answerHealth },
  'GET /v1/logs': {
    keys: ['service', 'tail', 'since', 'follow'],
    run: ({ target, query, response, closing }) => streamLogs(target, query, response, closing),
  },
  'GET /v1/events': {
    keys: ['since', 'follow'],
    run: ({ target, query, response, closing }) => streamEvents(target, query, response, closing),
  },
  'GET /v1/plan': {
    keys: [],
    run: ({ response, target }) =>
      sendJson(response, 200, { schemaVersion: SCHEMA_VERSION, plan: target.planView() }),
  },
  'POST /v1/services/start': { keys: [], run: (exchange) => change('start', exchange) },
  'POST /v1/services/stop': { keys: [], run: (exchange) => change('stop', exchange) },
  'POST /v1/services/restart': { keys: [], run: (exchange) => change('restart', exchange) },
  'POST /v1/reload': { keys: [], run: reload },
  'POST /v1/exec': {
    keys: [],
    run: ({ target, clock, request, response }) => runExec(target, clock, request, response),
  },
  'POST /v1/runs': {
    keys: [],
    run: async ({ target, request, response }) =>
      runProgramFor(target, await readObject(request, ['program', 'input']), response),
  },
};

/** Finds the route of a request and runs it; throws a Failure where there is none. */
export async function route(exchange: Exchange, path: string): Promise<void> {
  const method = exchange.request.method ?? '';
  const key = `${method} ${path}`;
  const found = Object.hasOwn(ROUTES, key) ? ROUTES[key] : undefined;
  if (!found) {
    const other = Object.keys(ROUTES).find((name) => name.endsWith(` ${path}`));
    if (other)
      throw new RequestFailure(405, 'bad-method', `cannot ${method} ${path}: use ${other.split(' ')[0]}`);
    throw new RequestFailure(404, 'unknown-route', `cannot ${method} ${path}: no such route`);
  }
  for (const name of exchange.query.keys()) {
    if (!found.keys.includes(name)) throw badRequest(`unknown parameter "${name}"`);
  }
  await found.run(exchange);
}

function answerHealth({ response, target, query }: Exchange): void {
  const level = query.get('level') ?? 'ready';
  if (level !== 'live' && level !== 'ready') throw badRequest('"level" must be live or ready');
  const { overall, reason } = target.product();
  // An answer is itself the proof of life.
  const ok = level === 'live' || target.isReady();
  const answer: HealthAnswer = { schemaVersion: SCHEMA_VERSION, level, ok, status: overall, reason };
  sendJson(response, ok ? 200 : 503, answer);
}

async function change(action: ChangeAction, exchange: Exchange): Promise<void> {
  const { request, response, target, clock, closing } = exchange;
  const body = await readObject(request, ['names', 'wait', 'timeout']);
  const { names, timeout } = body;
  if (!isTextList(names) || names.length === 0) throw badRequest('"names" must be a list of services');
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0)) {
    throw badRequest('"timeout" must be milliseconds');
  }
  const left = new AbortController();
  response.once('close', () => left.abort());
  const answer = await changeServices(
    target,
    clock,
    {
      action,
      names,
      wait: readBoolean(body, 'wait') ?? true,
      timeout: Math.min(typeof timeout === 'number' ? timeout : DEFAULT_CHANGE_TIMEOUT, LONGEST_TIMEOUT),
    },
    AbortSignal.any([left.signal, closing]),
  );
  sendJson(response, 200, answer);
}

async function reload({ request, response, target }: Exchange): Promise<void> {
  const dryRun = readBoolean(await readObject(request, ['dryRun']), 'dryRun') ?? false;
  const changes = await target.reload({ dryRun });
  const answer: ReloadAnswer = { schemaVersion: SCHEMA_VERSION, dryRun, changes };
  sendJson(response, 200, answer);
}
