import type { ChangeAction, HealthAnswer, ReloadAnswer } from '../../protocol/control.ts';
import type { MetricsAnswer } from '../../protocol/metrics.ts';
import type { ScheduleRunAnswer } from '../../protocol/schedules.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { ProductStatus } from '../../protocol/status.ts';
import { RequestFailure, sendJson } from './answers.ts';
import { changeServices } from './changes.ts';
import { streamEvents } from './event-route.ts';
import type { Exchange } from './exchange.ts';
import { runExec } from './exec-route.ts';
import { askAboutJobs } from './jobs-route.ts';
import { streamLogs } from './log-route.ts';
import {
  badRequest,
  isObject,
  isTextList,
  type JsonObject,
  readBoolean,
  readObject,
} from './request-body.ts';
import { restartRolling } from './rolling.ts';
import { cancelKept, followKept, listKept, runProgramFor } from './run-route.ts';
import { scaleServices } from './scaling.ts';
import { tellSink } from './sink-route.ts';
import type { ControlTarget } from './target.ts';
import { addToken, listTokens, removeToken } from './token-routes.ts';

type Route = (exchange: Exchange) => void | Promise<void>;

const DEFAULT_CHANGE_TIMEOUT = 120_000;
/** setTimeout's own limit is 2^31 ms; nobody waits longer than a day. */
const LONGEST_TIMEOUT = 86_400_000;
/** As many as `deploy.replicas` allows. */
const MOST_REPLICAS = 1000;

const ROUTES: Readonly<Record<string, { readonly keys: readonly string[]; readonly run: Route }>> = {
  'GET /v1/status': {
    keys: [],
    run: ({ response, target }) =>
      sendJson(response, 200, { ...target.product(), supervisor: target.self() } satisfies ProductStatus),
  },
  'GET /v1/metrics': {
    keys: [],
    run: ({ response, target }) => sendJson(response, 200, tellFigures(target)),
  },
  'GET /v1/health': { keys: ['level'], run: answerHealth },
  'GET /v1/logs': {
    keys: ['service', 'tail', 'since', 'follow'],
    run: ({ target, clock, query, response, closing }) => streamLogs(target, clock, query, response, closing),
  },
  'GET /v1/events': {
    keys: ['since', 'follow', 'jobs'],
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
  'POST /v1/scale': { keys: [], run: scale },
  'POST /v1/reload': { keys: [], run: reload },
  'POST /v1/schedules/run': { keys: [], run: runSchedule },
  'POST /v1/exec': {
    keys: [],
    run: ({ target, clock, rights, request, response }) => {
      if (rights.exec) return runExec(target, clock, request, response);
      throw new RequestFailure(403, 'not-allowed', 'cannot run a command from here: people do that');
    },
  },
  'POST /v1/runs': {
    keys: [],
    run: async ({ target, request, response, rights }) =>
      runProgramFor(target, await readObject(request, ['program', 'input', 'keep']), response, rights),
  },
  'POST /v1/alerts/tell': { keys: [], run: tellSink },
  'GET /v1/runs': { keys: [], run: listKept },
  'GET /v1/runs/follow': { keys: ['id'], run: followKept },
  'POST /v1/runs/cancel': { keys: [], run: cancelKept },
  'GET /v1/tokens': { keys: [], run: listTokens },
  'POST /v1/tokens': { keys: [], run: addToken },
  'POST /v1/tokens/revoke': { keys: [], run: removeToken },
  'POST /v1/jobs': {
    keys: [],
    run: ({ target, request, response }) => askAboutJobs(target, request, response),
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

function tellFigures(target: ControlTarget): MetricsAnswer {
  const { user, system } = process.cpuUsage();
  return {
    schemaVersion: SCHEMA_VERSION,
    product: { ...target.product(), supervisor: target.self() },
    ready: target.isReady(),
    ...target.figures(),
    cpuSeconds: (user + system) / 1e6,
  };
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
  const { request, response, target, clock } = exchange;
  const keys = ['names', 'wait', 'timeout', ...(action === 'restart' ? ['rolling', 'dependents'] : [])];
  const body = await readObject(request, keys);
  const { names } = body;
  if (!isTextList(names) || names.length === 0) throw badRequest('"names" must be a list of services');
  const isRolling = readBoolean(body, 'rolling') ?? false;
  const patience = readPatience(body);
  if (isRolling && !patience.wait) throw badRequest('"rolling" needs "wait": it goes on when one is ready');
  const dependents = readBoolean(body, 'dependents') ?? false;
  if (isRolling && dependents) throw badRequest('"rolling" and "dependents" exclude each other');
  const run = isRolling ? restartRolling : changeServices;
  const answer = await run(target, clock, { action, names, dependents, ...patience }, whileWanted(exchange));
  sendJson(response, 200, answer);
}

async function scale(exchange: Exchange): Promise<void> {
  const { request, response, target, clock } = exchange;
  const body = await readObject(request, ['sizes', 'wait', 'timeout']);
  const scaling = { sizes: readSizes(body.sizes), ...readPatience(body) };
  sendJson(response, 200, await scaleServices(target, clock, scaling, whileWanted(exchange)));
}

function readPatience(body: JsonObject): { wait: boolean; timeout: number } {
  const { timeout = DEFAULT_CHANGE_TIMEOUT } = body;
  if (!(typeof timeout === 'number' && timeout >= 0)) throw badRequest('"timeout" must be milliseconds');
  return { wait: readBoolean(body, 'wait') ?? true, timeout: Math.min(timeout, LONGEST_TIMEOUT) };
}

function readSizes(value: unknown): Readonly<Record<string, number>> {
  const sizes = isObject(value) ? Object.entries(value) : [];
  const isCount = (count: unknown): count is number =>
    typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= MOST_REPLICAS;
  const counts = sizes.filter((pair): pair is [string, number] => isCount(pair[1]));
  if (counts.length === 0 || counts.length < sizes.length) {
    throw badRequest(`"sizes" must give each service a number from 0 to ${MOST_REPLICAS}`);
  }
  return Object.fromEntries(counts);
}

/** Aborted when the client has gone or the server closes: nobody waits any more. */
function whileWanted({ response, closing }: Exchange): AbortSignal {
  const left = new AbortController();
  response.once('close', () => left.abort());
  return AbortSignal.any([left.signal, closing]);
}

async function runSchedule({ request, response, target }: Exchange): Promise<void> {
  const body = await readObject(request, ['name', 'wait']);
  const { name } = body;
  if (typeof name !== 'string') throw badRequest('"name" must be the name of a schedule');
  const wait = readBoolean(body, 'wait') ?? true;
  const ended = target.runSchedule(name);
  const end = wait ? await ended : undefined;
  sendJson(response, 200, { schemaVersion: SCHEMA_VERSION, name, end } satisfies ScheduleRunAnswer);
}

async function reload({ request, response, target }: Exchange): Promise<void> {
  const dryRun = readBoolean(await readObject(request, ['dryRun']), 'dryRun') ?? false;
  const changes = await target.reload({ dryRun });
  const answer: ReloadAnswer = { schemaVersion: SCHEMA_VERSION, dryRun, changes };
  sendJson(response, 200, answer);
}
