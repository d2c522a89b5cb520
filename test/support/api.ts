import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { AlertDesk } from '../../src/api/alert-desk.ts';
import { createAudit } from '../../src/api/audit.ts';
import { createEventHub } from '../../src/api/event-hub.ts';
import type { Operate } from '../../src/api/operate.ts';
import { createOperations } from '../../src/api/operations.ts';
import { Problem, problemOf } from '../../src/api/problem.ts';
import { createServer } from '../../src/api/server.ts';
import { createTokenBook } from '../../src/api/token-book.ts';
import type { AskableProgram, RunOutput } from '../../src/protocol/control.ts';
import type { BulkheadEvent } from '../../src/protocol/events.ts';
import type { Durability, JobsRequest, JobsValue } from '../../src/protocol/jobs.ts';
import type { ScheduleEnd } from '../../src/protocol/schedules.ts';
import type { TokensAnswer } from '../../src/protocol/tokens.ts';
import { createKeptRuns, type KeptRuns } from '../../src/supervisor/control/kept-runs.ts';
import type { TokenShelf } from '../../src/supervisor/control/target.ts';
import { type FakeQueue, fakeQueue } from './fake-queue.ts';
import { fakeTokens } from './fake-tokens.ts';
import { exampleProduct } from './product.ts';

export const TOKEN = 'a-token-of-more-than-twenty-characters';
/** Of the plan, an operator's. */
export const OF_PLAN = 'another-token-of-more-than-twenty-characters';
/** 2026-01-01 */
const EPOCH = 1_767_225_600_000;
export const BEARER = { authorization: `Bearer ${TOKEN}` };
export const JSON_TYPE = { 'content-type': 'application/json' };

/** Of the plan. */
export const TYPES = ['scrape', 'scrape-all', 'backup'];

export interface ApiTrial {
  readonly app: FastifyInstance;
  readonly queue: FakeQueue;
  /** Those that people made. */
  readonly tokens: TokenShelf;
  /** How often PID 1 was asked for them. */
  readonly tokenReads: number;
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
  pingMs,
  headersMs,
  ...options
}: {
  /** How often a listener of the stream is looked at. */
  pingMs?: number;
  /** How long a connection may say nothing whole. */
  headersMs?: number;
  allowedHosts?: readonly string[];
  readOnly?: boolean;
  alerts?: AlertDesk;
  /** What PID 1 answers to a POST. */
  posted?: (path: string, body: object) => unknown;
  /** What a program says. */
  program?: (
    name: AskableProgram,
    input: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) => AsyncIterable<RunOutput> | Iterable<RunOutput>;
} = {}): ApiTrial {
  const queue = fakeQueue(TYPES);
  const said: string[] = [];
  const asked: string[] = [];
  const kept: BulkheadEvent[] = [];
  const followers = new Set<(event: BulkheadEvent) => void>();
  let time = 0;
  const tokens = fakeTokens();
  let tokenReads = 0;
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  let durability: Durability | undefined;
  const operate: Operate = {
    get durability() {
      return durability;
    },
    get: async <Answer>(path: string) => {
      if (path !== '/v1/tokens') return { ...exampleProduct(), schedules: [NIGHTLY] } as Answer;
      tokenReads += 1;
      return { schemaVersion: 1, tokens: tokens.list(), stored: tokens.stored() } as Answer;
    },
    async post<Answer>(path: string, body: object) {
      if (path === '/v1/runs/cancel') return keptRuns.cancel(Reflect.get(body, 'id')) as Answer;
      asked.push(`POST ${path} ${JSON.stringify(body)}`);
      return options.posted?.(path, body) as Answer;
    },
    async postWithin<Answer>(_ms: number, path: string, body: object) {
      asked.push(`POST ${path} ${JSON.stringify(body)}`);
      if (trial.runEnd === undefined) return undefined;
      return { schemaVersion: 1, name: Reflect.get(body, 'name'), end: trial.runEnd } as Answer;
    },
    async postLong<Answer>(path: string, body: object) {
      asked.push(`POST ${path} ${JSON.stringify(body)}`);
      return (await options.posted?.(path, body)) as Answer;
    },
    async *runs(name, input, signal, keep) {
      asked.push(`run ${name} ${JSON.stringify(input)}`);
      if (keep === undefined) {
        yield* options.program?.(name, input, signal) ?? [];
        return;
      }
      keptRuns.begin(keep, async (hear, stop) => {
        for await (const output of options.program?.(name, input, stop) ?? []) {
          if (output.type === 'exit') return output.code;
          if (output.type !== 'error') hear(output);
        }
        return 0;
      });
      yield* operate.keptRun(keep.id, signal);
    },
    keptRun: (id, signal) => hearKept(keptRuns, id, signal),
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
  const keptRuns = createKeptRuns(() => EPOCH + time);
  const clocks = { now: () => time, wallClock: () => EPOCH + time };
  const operations = createOperations({ ...clocks, graceMs: 20 });
  const audit = createAudit(join(folder, 'audit.ndjson'), { say: (text) => said.push(text), ...clocks });
  const app = createServer(
    {
      allowedHosts: [],
      readOnly: false,
      jobTypes: TYPES,
      ...options,
    },
    {
      operate,
      events: createEventHub({ operate, operations, ...(pingMs === undefined ? {} : { pingMs }) }),
      alerts,
      scrape: async () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', text: 'bulkhead_up 1\n' }),
      tokens: createTokenBook({
        main: TOKEN,
        given: [{ name: 'of-plan', role: 'operator', token: OF_PLAN }],
        stored: async () => (await operate.get<TokensAnswer>('/v1/tokens')).stored ?? [],
        ...clocks,
      }),
      operations,
      audit,
      say: (text) => said.push(text),
      ...clocks,
    },
    headersMs,
  );
  app.addHook('onClose', async () => {
    // A line that is still on its way would make the folder again.
    await audit.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const trial: ApiTrial = {
    runEnd: undefined,
    tokens,
    get tokenReads() {
      return tokenReads;
    },
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

/** As a client of the control socket hears it. */
async function* hearKept(runs: KeptRuns, id: string, signal: AbortSignal): AsyncGenerator<RunOutput> {
  const heard = new PassThrough({ objectMode: true });
  runs
    .follow(id, (report) => heard.write(report), signal)
    .then(
      (end) => heard.end(end && { type: 'exit', ...end }),
      (error: Error) => heard.destroy(error),
    );
  yield* heard;
}

async function* asyncOf<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
