import { type Route, ROUTES } from './routes.ts';

/** Of response times, in seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The first digit of the status, or that the other side left before the answer was whole. */
export type Outcome = '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | 'aborted';

type Times = { counts: number[]; sum: number; outcomes: Map<Outcome, number> };

/**
 * What the app has answered since it began, by route: twelve of them, six outcomes and twelve buckets, so at most 240
 * series. In Prometheus' text format: three families of fixed labels need no library for that, and prom-client would be
 * a tenth of all that runs here.
 */
export class Metrics {
  readonly #routes = new Map<Route, Times>();

  count(route: Route, outcome: Outcome, seconds: number): void {
    const times = this.#routes.get(route) ?? newTimes();
    this.#routes.set(route, times);
    const slot = BOUNDS.findIndex((most) => seconds <= most);
    const index = slot < 0 ? BOUNDS.length : slot;
    times.counts[index] = (times.counts[index] ?? 0) + 1;
    times.sum += seconds;
    times.outcomes.set(outcome, (times.outcomes.get(outcome) ?? 0) + 1);
  }

  text(activeUsers: number): string {
    const order: Route[] = [...ROUTES, '/_next', 'other'];
    const told = order.flatMap((route) => {
      const times = this.#routes.get(route);
      return times ? [{ route, times }] : [];
    });
    return [
      '# HELP http_requests_total Requests answered, by route and by the first digit of the status',
      '# TYPE http_requests_total counter',
      ...told.flatMap(({ route, times }) =>
        [...times.outcomes].map(([status, count]) => `http_requests_total{route="${route}",status="${status}"} ${count}`),
      ),
      '# HELP http_request_duration_seconds From the first byte asked to the last byte answered',
      '# TYPE http_request_duration_seconds histogram',
      ...told.flatMap(({ route, times }) => describeTimes(route, times)),
      '# HELP active_users Different addresses with different browsers within the last 5 minutes',
      '# TYPE active_users gauge',
      `active_users ${activeUsers}`,
      '',
    ].join('\n');
  }
}

function newTimes(): Times {
  return { counts: Array<number>(BOUNDS.length + 1).fill(0), sum: 0, outcomes: new Map() };
}

function describeTimes(route: Route, { counts, sum }: Times): string[] {
  const name = 'http_request_duration_seconds';
  let total = 0;
  const buckets = [...BOUNDS, '+Inf'].map((bound, index) => {
    total += counts[index] ?? 0;
    return `${name}_bucket{route="${route}",le="${bound}"} ${total}`;
  });
  return [...buckets, `${name}_sum{route="${route}"} ${sum}`, `${name}_count{route="${route}"} ${total}`];
}
