/** The HTTP server: Fastify, the routes, and what holds for all of them. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { messageOf } from '../base/errors.ts';
import type { Scrape } from '../metrics/scrape.ts';
import { createAdmission } from './admission.ts';
import type { AlertDesk } from './alert-desk.ts';
import type { Audit } from './audit.ts';
import { createAuditTrail, pathOf } from './audit-trail.ts';
import { type Caller, requireRole } from './caller.ts';
import { guardConnections } from './connections.ts';
import type { EventHub } from './event-hub.ts';
import { describeApi } from './openapi.ts';
import type { Operate } from './operate.ts';
import type { Operations } from './operations.ts';
import { PROBLEM_TYPE, Problem } from './problem.ts';
import { createReadings } from './readings.ts';
import type { ApiRoute, JsonSchema } from './route.ts';
import { ROUTES } from './routes.ts';
import { nothing } from './schemas.ts';
import { createSessions } from './sessions.ts';
import type { ApiSettings } from './settings.ts';
import { createSlots, standingOf } from './standing.ts';
import type { TokenBook } from './token-book.ts';
import { createValidator } from './validation.ts';

export interface ServerPorts {
  readonly operate: Operate;
  readonly events: EventHub;
  /** Undefined: the plan wants no metrics. */
  readonly scrape?: Scrape | undefined;
  /** Missing: the plan has none. */
  readonly alerts?: AlertDesk | undefined;
  readonly operations: Operations;
  readonly tokens: TokenBook;
  readonly audit: Audit;
  /** A line of the program's log. */
  say(text: string): void;
  /** Milliseconds of a clock that only goes on. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallClock(): number;
}

/** Data of 64 KB, and what is around it. */
const MOST_BODY = 68 * 1024;
/** Being answered at once, together less than may wait for PID 1 (operate.ts). */
const MOST_UNDER_WAY = { stranger: 32, anybody: 48, viewer: 64, operator: 64, admin: 64 };
const REQUEST_MS = 10_000;
const HEADERS_MS = 5_000;
const KEEP_ALIVE_MS = 5_000;

const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** The server, not yet listening. @param headersMs so long a connection may say nothing whole; of tests */
export function createServer(
  settings: Pick<ApiSettings, 'allowedHosts' | 'readOnly' | 'jobTypes'>,
  ports: ServerPorts,
  headersMs: number = HEADERS_MS,
): FastifyInstance {
  const { tokens, audit, now, wallClock } = ports;
  const sessions = createSessions(wallClock);
  const admission = createAdmission(settings, { tokens, sessions, now });
  const callers = new WeakMap<IncomingMessage, Caller>();
  const slots = createSlots(MOST_UNDER_WAY, {
    code: 'busy',
    what: 'requests of this kind are being answered',
    retryAfter: 2,
  });
  const trail = createAuditTrail(audit, (request) => callers.get(request), toProblem);
  const validator = createValidator();
  let description: object | undefined;
  const readings = createReadings(ports.operate, now);
  // Whoever waited for a restore must not be shown the database of before.
  ports.operations.follow(({ state }) => {
    if (state !== 'running') readings.forget();
  });
  const served = {
    operate: ports.operate,
    events: ports.events,
    scrape: ports.scrape,
    alerts: ports.alerts,
    admission,
    sessions,
    tokens,
    operations: ports.operations,
    readings,
    audit,
    readOnly: settings.readOnly,
    wallClock,
    description: () => (description ??= describeApi(ROUTES, settings.jobTypes)),
  };

  const app = fastify({
    logger: false,
    bodyLimit: MOST_BODY,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      headersTimeout: headersMs,
      connectionsCheckingInterval: Math.min(1000, headersMs),
      maxHeaderSize: 16 * 1024,
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 256, querystringParser: readQuery },
    // Where none are given, Fastify loads compilers of its own, which we do not need.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    frameworkErrors: (error, request, reply) => {
      reply.headers(SECURITY_HEADERS);
      void admission
        .admit(request.raw)
        .then(() => new Problem(400, 'bad-target', error.message), toProblem)
        .then((problem) => sendProblem(reply, problem));
    },
    clientErrorHandler: (error, socket) => answerRaw(error.code, socket),
  });
  const connections = guardConnections(app.server);

  app.setValidatorCompiler(({ schema, httpPart = '' }) => validator(schema as JsonSchema, httpPart));

  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {});
    else parseJson(request, String(body), done);
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    trail.begin(request, reply);
    const caller = await admission.admit(request.raw);
    callers.set(request.raw, caller);
    connections.raise(request.raw.socket, standingOf(caller));
    const { role } = request.routeOptions.config as { readonly role?: ApiRoute['role'] };
    if (role !== undefined && role !== 'anybody') requireRole(caller, role);
  });
  app.addHook('onResponse', async (request, reply) => trail.end(request, reply));
  app.addHook('preClose', async () => ports.events.close());

  app.setErrorHandler((error, _request, reply) => {
    const problem = toProblem(error);
    if (problem.body.status >= 500 && !(error instanceof Problem)) {
      ports.say(
        `cannot answer: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`,
      );
    }
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, notFound(request)));

  for (const route of ROUTES) {
    const { method, path: url, query = nothing, body, role } = route;
    app.route({
      method,
      url,
      exposeHeadRoute: method === 'GET' && url !== '/events',
      config: { role },
      schema: { querystring: query, ...(body ? { body } : {}) },
      preValidation: async (request, reply) => {
        if (body) request.body ??= {};
        markDurability(reply);
      },
      handler: async (request, reply) => {
        const leave = slots.take(standingOf(callerOf(request)));
        const asked = {
          params: request.params as Record<string, string>,
          query: request.query as Record<string, unknown>,
          body: (request.body ?? {}) as Record<string, unknown>,
          header: (name: string) => request.headers[name]?.toString(),
          caller: callerOf(request),
          role: role === 'anybody' ? 'viewer' : role,
          raw: request.raw,
        };
        const answering = (async () => route.run(asked, served))();
        trail.follow(request.raw, route.group, answering);
        const answer = await answering.finally(() => {
          leave();
          markDurability(reply);
        });
        return reply
          .code(answer.status)
          .headers(answer.headers ?? {})
          .send(answer.body);
      },
    });

    function markDurability(reply: FastifyReply): void {
      const { durability } = ports.operate;
      if (route.group === 'jobs' && durability !== undefined)
        reply.header('x-bulkhead-durability', durability);
    }
  }
  return app;

  function callerOf({ raw }: FastifyRequest): Caller {
    const caller = callers.get(raw);
    if (caller === undefined) throw new Error('nobody was admitted');
    return caller;
  }
}

function noCompiler(): never {
  throw new Error('a schema has no compiler');
}

function sendProblem(reply: FastifyReply, { body, headers }: Problem): FastifyReply {
  // What was not read of the body would be taken for the next request.
  if (body.status === 413) reply.header('connection', 'close');
  return reply.code(body.status).headers(headers).type(PROBLEM_TYPE).send(JSON.stringify(body));
}

const OF_FASTIFY: Readonly<Record<string, readonly [status: number, code: string, detail: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'too-large', `the body has more than ${MOST_BODY} bytes`],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'not-json', 'the body must be application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    400,
    'bad-request',
    'the body is not as long as its Content-Length says',
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'bad-request', 'the body is not JSON'],
};

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code = '', statusCode = 500 } = error as { code?: string; statusCode?: number };
  const known = OF_FASTIFY[code];
  if (known !== undefined) return new Problem(...known);
  if (statusCode >= 400 && statusCode < 500) return new Problem(statusCode, 'bad-request', messageOf(error));
  return new Problem(500, 'internal', 'a fault of ours; it is in the log');
}

function notFound(request: FastifyRequest): Problem {
  const path = pathOf(request.raw);
  const methods = ROUTES.filter((route) => patternOf(route.path).test(path)).map(({ method }) => method);
  if (methods.length === 0) {
    return new Problem(404, 'unknown-route', 'there is nothing here', {
      remedy: 'see: GET /api/openapi.json',
    });
  }
  const allow = [...new Set(methods)].join(', ');
  return new Problem(405, 'bad-method', `use ${allow}`, { headers: { allow } });
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`);
}

/** `?service=a&service=b` is `?service=a,b`. */
function readQuery(text: string): Record<string, string> {
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    values[name] = values[name] === undefined ? value : `${values[name]},${value}`;
  }
  return values;
}

/** What was no HTTP, or came too slowly: there is no request to answer, only a socket. */
function answerRaw(code: string | undefined, socket: Socket): void {
  if (socket.destroyed || !socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const { body } = new Problem(status, 'bad-request', 'this is no request that can be read');
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${body.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n` +
      `connection: close\r\nx-content-type-options: nosniff\r\n\r\n${text}`,
  );
}
