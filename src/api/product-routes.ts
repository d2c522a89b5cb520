/** The routes about the product as a whole. */
import type { EventLine, LogLine } from '../protocol/control.ts';
import type { BulkheadEvent } from '../protocol/events.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { ProductStatus } from '../protocol/status.ts';
import { shortJobId } from '../protocol/stored-line.ts';
import { textOf } from './begin.ts';
import { unauthorized } from './caller.ts';
import { TOPICS, type Topic } from './event-hub.ts';
import { Problem } from './problem.ts';
import type { Answer, ApiRoute, Asked, Served } from './route.ts';
import { commandInput } from './run-program.ts';
import { eventQuery, logQuery, logs, product, services } from './schemas.ts';
import { standingOf } from './standing.ts';
import { type Position, readPosition } from './stream-position.ts';

const DEFAULT_TAIL = 100;
/** Of the lines of one answer together, in characters. */
const MOST_LOG = 1024 * 1024;
const LOG_PATIENCE_MS = 10_000;
const SEARCH_FRESH_MS = 1000;

export const PRODUCT_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/status',
    group: 'product',
    role: 'viewer',
    summary: 'what runs, since when, and why something does not',
    answers: { 200: { what: 'the product', schema: product } },
    run: async (_asked, { operate }) => ({
      status: 200,
      body: await operate.get<ProductStatus>('/v1/status'),
    }),
  },
  {
    method: 'GET',
    path: '/services',
    group: 'product',
    role: 'viewer',
    summary: 'every service and task',
    answers: { 200: { what: 'the services', schema: services } },
    run: async (_asked, { operate }) => {
      const { services: all } = await operate.get<ProductStatus>('/v1/status');
      return { status: 200, body: { schemaVersion: SCHEMA_VERSION, services: all } };
    },
  },
  {
    method: 'GET',
    path: '/events',
    group: 'product',
    role: 'viewer',
    summary: 'what happens, as server-sent events: one stream for all of it, see above',
    query: eventQuery,
    headers: { 'Last-Event-ID': 'the `id` of the last frame that was seen: it goes on from there' },
    answers: {
      200: { what: 'a stream that does not end; with `follow=false` a list', type: 'text/event-stream' },
    },
    run: (asked, served) =>
      asked.query.follow === false ? listEvents(asked, served) : streamEvents(asked, served),
  },
  {
    method: 'GET',
    path: '/logs',
    group: 'product',
    role: 'viewer',
    summary: 'the newest lines the services wrote, oldest first',
    query: logQuery,
    answers: { 200: { what: 'lines', schema: logs }, 404: { what: 'there is no such service' } },
    run: readLogs,
  },
  {
    method: 'GET',
    path: '/metrics',
    group: 'product',
    role: 'viewer',
    summary: 'figures for Prometheus',
    headers: { Accept: 'application/openmetrics-text for OpenMetrics; else the text format 0.0.4' },
    answers: {
      200: { what: 'the figures', type: 'text/plain' },
      404: { what: 'metrics.enabled of the plan is false' },
    },
    run: serveMetrics,
  },
  {
    method: 'GET',
    path: '/api/openapi.json',
    group: 'product',
    role: 'viewer',
    summary: 'this description',
    answers: { 200: { what: 'OpenAPI 3.1', schema: { type: 'object' } } },
    run: (_asked, { description }) => ({ status: 200, body: description() }),
  },
];

async function serveMetrics(asked: Asked, { scrape }: Served): Promise<Answer> {
  if (scrape === undefined) {
    throw new Problem(404, 'metrics-off', 'the plan wants no metrics', {
      remedy: 'set `metrics: { enabled: true }` in the plan; in tier full: ENABLE_MONITORING=true',
    });
  }
  const { type, text } = await scrape(asked.header('accept'));
  return { status: 200, body: text, headers: { 'content-type': type } };
}

const USUAL_TOPICS: readonly Topic[] = ['events', 'jobs'];

/** What is kept of this boot, or what came after a number. */
async function listEvents({ query }: Asked, { operate }: Served): Promise<Answer> {
  const { since, service, tail } = query;
  const names = typeof service === 'string' ? new Set(service.split(',')) : undefined;
  const found: BulkheadEvent[] = [];
  let missedBefore: number | undefined;
  const over = AbortSignal.timeout(LOG_PATIENCE_MS);
  const path = `/v1/events?since=${typeof since === 'number' ? since : 0}`;
  for await (const line of await operate.lines<EventLine>(path, over)) {
    // Events of jobs are told to who listens, and are not kept.
    if (line.type === 'job') continue;
    if (line.type === 'missed') missedBefore = line.before;
    else if (!('seq' in line)) continue;
    else if (names === undefined || ('service' in line && names.has(line.service))) found.push(line);
  }
  const body = {
    schemaVersion: SCHEMA_VERSION,
    events: typeof tail === 'number' && tail > 0 ? found.slice(-tail) : found,
    ...(missedBefore === undefined ? {} : { missedBefore }),
  };
  return { status: 200, body };
}

function streamEvents(asked: Asked, { events, tokens, sessions, wallClock }: Served): Answer {
  const { topics, service, since, tail } = asked.query;
  const seen = asked.header('last-event-id');
  const position = seen === undefined ? positionOf(since) : readPosition(seen);
  if (seen !== undefined && position === undefined) {
    throw new Problem(400, 'bad-request', 'Last-Event-ID must be the id of an event');
  }
  const { token, endsAt, cookie } = asked.caller;
  const body = events.open({
    standing: standingOf(asked.caller),
    topics: new Set(typeof topics === 'string' ? readTopics(topics) : USUAL_TOPICS),
    services: typeof service === 'string' ? service.split(',') : undefined,
    position,
    tail: typeof tail === 'number' ? tail : 0,
    isWelcome: async () =>
      (endsAt === undefined || wallClock() < endsAt) &&
      (cookie === undefined || sessions.has(cookie)) &&
      (token === undefined || (await tokens.stillThere(token)) !== undefined),
  });
  return {
    status: 200,
    body,
    headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
  };
}

function positionOf(since: unknown): Position | undefined {
  return typeof since === 'number' ? { event: since, log: undefined } : undefined;
}

function readTopics(text: string): Topic[] {
  return text.split(',').map((word) => {
    const topic = TOPICS.find((each) => each === word.trim());
    if (topic !== undefined) return topic;
    throw new Problem(400, 'bad-request', `"${word}" is no topic`, { remedy: `one of ${TOPICS.join(', ')}` });
  });
}

/** The newest lines are at hand; a time and a search are for the files, compressed days too, which a child reads. */
async function readLogs(asked: Asked, served: Served): Promise<Answer> {
  const { since, grep } = asked.query;
  return since === undefined && grep === undefined ? readTail(asked, served) : searchLogs(asked, served);
}

async function searchLogs({ query, caller }: Asked, { readings }: Served): Promise<Answer> {
  const { service, since, grep, job, tail } = query;
  // All that is kept is read for it.
  if (grep !== undefined && caller.token === undefined) throw unauthorized('a search needs a token');
  const input = commandInput('logs', {
    words: typeof service === 'string' ? service.split(',') : [],
    options: { since: textOf(since), grep: textOf(grep), job: textOf(job) },
    keep: typeof tail === 'number' ? tail : DEFAULT_TAIL,
  });
  const lines = await readings.read(caller, 'command', input, SEARCH_FRESH_MS);
  return { status: 200, body: { schemaVersion: SCHEMA_VERSION, lines } };
}

async function readTail({ query }: Asked, { operate }: Served): Promise<Answer> {
  const { service } = query;
  const tail = typeof query.tail === 'number' ? query.tail : DEFAULT_TAIL;
  const job = typeof query.job === 'string' ? shortJobId(query.job.toLowerCase()) : undefined;
  // The newest lines of one job may be older than many of others.
  const wanted = new URLSearchParams(job === undefined ? { tail: String(tail) } : {});
  for (const name of typeof service === 'string' ? service.split(',') : []) wanted.append('service', name);
  const lines: LogLine[] = [];
  let size = 0;
  const over = AbortSignal.timeout(LOG_PATIENCE_MS);
  for await (const line of await operate.lines<LogLine>(`/v1/logs?${wanted}`, over)) {
    if (job !== undefined && line.job !== job) continue;
    lines.push(line);
    size += line.line.length;
    // The newest are worth most.
    while (size > MOST_LOG || lines.length > tail) size -= lines.shift()?.line.length ?? size;
  }
  return { status: 200, body: { schemaVersion: SCHEMA_VERSION, lines } };
}
