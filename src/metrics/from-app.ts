/** What the app tells of itself, as metrics. It is somebody's program: what has another shape is left out. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type ReadSample, readSamples } from './read-exposition.ts';
import type { Samples } from './samples.ts';

/**
 * As the app wrote it, in Prometheus' text format. Taken are
 *
 *   http_requests_total{route, status}           a status or its class; without this one the counts of the next
 *   http_request_duration_seconds{route, status} a histogram
 *   active_users                                 a gauge
 *
 * where `path`, `handler`, `status_code` and `code` are other words that libraries have for the two labels. What other
 * labels tell apart (the method) is added up. All but `active_users` since the app began.
 */
export type AppFigures = string;

const LONGEST = 512 * 1024;
const PATIENCE_MS = 1000;
/** An app whose routes have no end shall not fill anybody's memory: those that come later are one. */
const MOST_ROUTES = 50;
const MOST_BOUNDS = 30;
const OTHER = 'other';

const REQUESTS = 'http_requests_total';
const DURATION = 'http_request_duration_seconds';
const USERS = 'active_users';
const WANTED: readonly string[] = [
  REQUESTS,
  USERS,
  ...['bucket', 'sum', 'count'].map((end) => `${DURATION}_${end}`),
];

/**
 * Not by fetch(), which needs WebAssembly: the program this runs in has none, for it runs without a compiler.
 * @throws where it does not answer with text
 */
export async function readApp(url: string): Promise<AppFigures> {
  const headers = { accept: 'text/plain;version=0.0.4', connection: 'close' };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const request = get(url, { headers, signal });
  const answered = once(request, 'response');
  // What goes wrong later, the answer tells.
  request.on('error', () => undefined);
  const [answer] = (await answered) as [IncomingMessage];
  if (answer.statusCode !== 200) {
    answer.destroy();
    throw new Error(`${url} answered ${answer.statusCode}`);
  }
  const parts: Buffer[] = [];
  let length = 0;
  // Whoever leaves this loop by an error ends the connection.
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > LONGEST) throw new Error(`${url} answered with more than ${LONGEST} bytes`);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (!/^(?:# |[a-z_:]\w*[{ ])/i.test(text)) throw new Error(`${url} did not answer with metrics`);
  return text;
}

interface Times {
  /** By their upper bounds, each with those before it. */
  readonly buckets: Map<number, number>;
  sum: number;
}

export function addApp(to: Samples, figures: AppFigures): void {
  const requests = new Counts();
  const answered = new Counts();
  const times = new Map<string, Times>();
  const routes = new Set<string>();
  for (const sample of readSamples(figures, (name) => WANTED.includes(name))) {
    const { name, labels, value } = sample;
    if (!(value >= 0)) continue;
    if (name === USERS) {
      to.add('bulkhead_app_active_users', value);
      continue;
    }
    const route = nameRoute(sample, routes);
    const status = statusOf(labels);
    if (name === REQUESTS) requests.add(route, status, value);
    else if (name === `${DURATION}_count`) answered.add(route, status, value);
    else addTime(times, route, sample);
  }
  for (const { route, status, count } of (requests.isEmpty ? answered : requests).all())
    to.add('bulkhead_app_requests_total', count, { route, status });
  for (const [route, { buckets, sum }] of times) {
    const bounds = [...buckets.keys()].filter(Number.isFinite).toSorted((a, b) => a - b);
    const totals = [...bounds, Infinity].map((bound) => buckets.get(bound) ?? Number.NaN);
    const counts = totals.map((total, index) => total - (totals[index - 1] ?? 0));
    const fits = bounds.length > 0 && bounds.length <= MOST_BOUNDS && counts.every((count) => count >= 0);
    if (fits) to.addHistogram('bulkhead_app_request_duration_seconds', bounds, counts, sum, { route });
  }
}

/** By route and status. */
class Counts {
  readonly #all = new Map<string, { route: string; status: string; count: number }>();

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  add(route: string, status: string | undefined, count: number): void {
    if (status === undefined) return;
    const key = `${status} ${route}`;
    const own = this.#all.get(key) ?? { route, status, count: 0 };
    own.count += count;
    this.#all.set(key, own);
  }

  all(): Iterable<{ readonly route: string; readonly status: string; readonly count: number }> {
    return this.#all.values();
  }
}

function addTime(times: Map<string, Times>, route: string, { name, labels, value }: ReadSample): void {
  const own = times.get(route) ?? { buckets: new Map(), sum: 0 };
  times.set(route, own);
  if (name === `${DURATION}_sum`) {
    own.sum += value;
    return;
  }
  const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
  if (bound > 0) own.buckets.set(bound, (own.buckets.get(bound) ?? 0) + value);
}

function nameRoute({ labels }: ReadSample, known: Set<string>): string {
  const route = labels.route ?? labels.path ?? labels.handler ?? '';
  if (known.has(route)) return route;
  if (known.size >= MOST_ROUTES || !/^[\x20-\x7e]{0,100}$/.test(route)) return OTHER;
  known.add(route);
  return route;
}

/** The class; undefined: it is none. */
function statusOf({ status, status_code, code }: ReadSample['labels']): string | undefined {
  const told = status ?? status_code ?? code ?? '';
  if (told === 'aborted') return told;
  return /^[1-5](xx|\d\d)$/i.test(told) ? `${told[0]}xx` : undefined;
}
