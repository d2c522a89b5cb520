import type { FastifyInstance } from 'fastify';
import type { AlertDesk } from '../../src/api/alert-desk.ts';
import { createEventHub } from '../../src/api/event-hub.ts';
import type { Operate } from '../../src/api/operate.ts';
import { Problem, problemOf } from '../../src/api/problem.ts';
import { createServer } from '../../src/api/server.ts';
import type { BulkheadEvent } from '../../src/protocol/events.ts';
import type { Durability, JobsRequest, JobsValue } from '../../src/protocol/jobs.ts';
import type { ScheduleEnd } from '../../src/protocol/schedules.ts';
import { type FakeQueue, fakeQueue } from './fake-queue.ts';
import { exampleProduct } from './product.ts';

export const TOKEN = 'a-token-of-more-than-twenty-characters';
export const BEARER = { authorization: `Bearer ${TOKEN}` };
export const JSON_TYPE = { 'content-type': 'application/json' };

/** Of the plan. */
export const TYPES = ['scrape', 'scrape-all', 'backup'];

export interface ApiTrial {
  readonly app: FastifyInstance;
  readonly queue: FakeQueue;
  /** How schedules end; undefined: nobody knows yet. */
  runEnd: ScheduleEnd | undefined;
  /** What it wrote to its log. */
  readonly said: string[];
  /** What it asked of PID 1 beside jobs, as `POST /v1/schedules/run {…}`. */
  readonly asked: string[];
  /** Announces an event; it is kept, too. */
  announce(text: string): void;
  /** Moves its clock, ms. */
  pass(ms: number): void;
}

const NIGHTLY = {
  name: 'nightly',
  status: 'idle',
  reason: '0 3 * * *',
  nextRun: '2026-01-01T03:00:00.000Z',
  runningSince: undefined,
  lastRun: undefined,
} as const;

/** The server of the API before a queue that runs nothing; no socket is opened. */
export function apiTrial({
  alerts,
  ...options
}: {
  allowedHosts?: readonly string[];
  readOnly?: boolean;
  alerts?: AlertDesk;
} = {}): ApiTrial {
  const queue = fakeQueue(TYPES);
  const said: string[] = [];
  const asked: string[] = [];
  const kept: BulkheadEvent[] = [];
  const followers = new Set<(event: BulkheadEvent) => void>();
  let time = 0;
  let durability: Durability | undefined;
  const operate: Operate = {
    get durability() {
      return durability;
    },
    get: async <Answer>() => ({ ...exampleProduct(), schedules: [NIGHTLY] }) as Answer,
    async postWithin<Answer>(_ms: number, path: string, body: object) {
      asked.push(`POST ${path} ${JSON.stringify(body)}`);
      if (trial.runEnd === undefined) return undefined;
      return { schemaVersion: 1, name: Reflect.get(body, 'name'), end: trial.runEnd } as Answer;
    },
    program: async () => {
      throw new Error('no program here');
    },
    async jobs<Value extends JobsValue>(request: JobsRequest) {
      const answer = queue.answer(request);
      if (!answer.ok) throw problemOf(answer);
      durability = answer.durability;
      return answer.value as Value;
    },
    async lines<Line>(path: string, signal: AbortSignal) {
      const url = new URL(path, 'http://bulkhead');
      asked.push(`GET ${path}`);
      if (url.pathname === '/v1/logs') {
        if (url.searchParams.get('service') === 'nobody')
          throw new Problem(404, 'unknown-service', 'no such service');
        const line = { time: '2026-01-01T00:00:00.000Z', service: 'app', stream: 'stdout', line: 'ready' };
        return asyncOf([line, { ...line, job: '00000001', line: 'of a job' }] as Line[]);
      }
      const since = Number(url.searchParams.get('since'));
      const past = kept.filter(({ seq }) => seq > since);
      if (!url.searchParams.has('follow')) return asyncOf(past as Line[]);
      return following(signal) as AsyncIterable<Line>;
    },
  };
  async function* following(signal: AbortSignal) {
    const queued: BulkheadEvent[] = [];
    let wake = () => {};
    const listener = (event: BulkheadEvent) => {
      queued.push(event);
      wake();
    };
    followers.add(listener);
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      const event = queued.shift();
      if (event) yield event;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    followers.delete(listener);
  }
  const app = createServer(
    {
      token: TOKEN,
      allowedHosts: [],
      readOnly: false,
      jobTypes: TYPES,
      ...options,
    },
    {
      operate,
      events: createEventHub(operate),
      alerts,
      scrape: async () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', text: 'bulkhead_up 1\n' }),
      say: (text) => said.push(text),
      now: () => time,
    },
  );
  const trial: ApiTrial = {
    runEnd: undefined,
    app,
    queue,
    said,
    asked,
    announce(text) {
      const event: BulkheadEvent = {
        seq: kept.length + 1,
        at: '2026-01-01T00:00:00.000Z',
        type: 'noted',
        text,
      };
      kept.push(event);
      for (const follow of followers) follow(event);
    },
    pass: (ms) => {
      time += ms;
    },
  };
  return trial;
}

async function* asyncOf<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
