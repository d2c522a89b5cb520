/** A client of PID 1's operate socket: all that the API knows, it asks there. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf } from '../base/errors.ts';
import { http } from '../base/node-http.ts';
import type { AskableProgram, ErrorBody, RunOutput } from '../protocol/control.ts';
import type { Durability, JobsAnswer, JobsRequest, JobsValue } from '../protocol/jobs.ts';
import type { KeptOrder } from '../protocol/kept-runs.ts';
import { Problem, problemOf } from './problem.ts';
import { openPurposes, type Purpose } from './purposes.ts';

export interface Operate {
  /** A whole JSON answer; a refusal is thrown as a Problem. @param also statuses that are answers as well */
  get<Answer>(path: string, also?: readonly number[]): Promise<Answer>;
  /** A POST, and its whole JSON answer; a refusal is thrown as a Problem. */
  post<Answer>(path: string, body: object): Promise<Answer>;
  /** A POST; undefined: it was not answered in so many ms, and goes on. */
  postWithin<Answer>(ms: number, path: string, body: object): Promise<Answer | undefined>;
  /**
   * A POST that may take hours; an abort leaves it alone, and what was asked for goes on.
   * @param purpose whose connections it takes; missing: an operation's
   */
  postLong<Answer>(path: string, body: object, signal: AbortSignal, purpose?: Purpose): Promise<Answer>;
  /**
   * Runs one of our own programs: what it says, its exit last. An abort ends it; where it is kept, only the listening.
   * Throws a Problem where it is refused.
   */
  runs(
    name: AskableProgram,
    input: Readonly<Record<string, string>>,
    signal: AbortSignal,
    keep?: KeptOrder,
  ): AsyncIterable<RunOutput>;
  /** What is kept of such a run, and the rest of it; an abort ends the listening. */
  keptRun(id: string, signal: AbortSignal): AsyncIterable<RunOutput>;
  /** What the worker answers; its refusal is thrown as a Problem. */
  jobs<Value extends JobsValue>(request: JobsRequest): Promise<Value>;
  /** One value per line until `signal` is aborted, which ends it quietly, or the other side ends. */
  lines<Line>(path: string, signal: AbortSignal): Promise<AsyncIterable<Line>>;
  /** Of the last answer of the worker; undefined before the first. */
  readonly durability: Durability | undefined;
}

/** PID 1 gives up on a silent worker after 10 s. */
const PATIENCE_MS = 12_000;
/** More that wait for their answer or their turn are told to come back. */
const MOST_UNDER_WAY = 288;

/** @param patienceMs for a whole answer, from the asking on */
export function createOperate(socketPath: string, patienceMs: number = PATIENCE_MS): Operate {
  const agentOf = openPurposes();
  let underWay = 0;
  let durability: Durability | undefined;

  function ask(
    purpose: Purpose,
    method: string,
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers =
        text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
      const request: ClientRequest = http.request(
        { socketPath, agent: agentOf(purpose), method, path, headers, signal },
        (response) => {
          // A torn answer shows in reading it.
          response.on('error', () => undefined);
          resolve(response);
        },
      );
      request.on('error', reject);
      // One that waits for its turn says nothing of an abort until it has it.
      const giveUp = (): void => reject(signal.reason);
      signal.addEventListener('abort', giveUp, { once: true });
      request.once('close', () => signal.removeEventListener('abort', giveUp));
      request.end(text);
    });
  }

  async function whole(
    purpose: Purpose,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; value: object }> {
    if (underWay >= MOST_UNDER_WAY) throw away('too many requests wait for it');
    underWay += 1;
    try {
      const response = await ask(purpose, method, path, body, AbortSignal.timeout(patienceMs));
      return { status: response.statusCode ?? 0, value: parseObject(await readText(response)) };
    } catch (error) {
      throw error instanceof Problem ? error : away(messageOf(error));
    } finally {
      underWay -= 1;
    }
  }

  async function* outputs(
    purpose: Purpose,
    method: string,
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<RunOutput> {
    const response = await ask(purpose, method, path, body, signal).catch((error: unknown) => {
      throw notTaken(error);
    });
    const { statusCode = 0 } = response;
    if (statusCode >= 300) throw refusal(statusCode, parseObject(await readText(response)));
    // To its end: who leaves before it ends it.
    for await (const line of readLines<RunOutput>(response, signal)) {
      if (line.type === 'error') throw refusal(502, line);
      yield line;
    }
  }

  function accept<Answer>(
    { status, value }: { status: number; value: object },
    also: readonly number[] = [],
  ): Answer {
    if (status < 300 || also.includes(status)) return value as Answer;
    throw refusal(status, value);
  }

  return {
    get durability() {
      return durability;
    },
    get: async (path, also) => accept(await whole('short', 'GET', path), also),
    post: async (path, body) => accept(await whole('short', 'POST', path, body)),
    async postWithin<Answer>(ms: number, path: string, body: object) {
      const late = new AbortController();
      const asked = whole('worker', 'POST', path, body).then((answer) => accept<Answer>(answer));
      const timer = sleep(ms, undefined, { signal: late.signal, ref: false }).catch(() => undefined);
      // It is left alone: what was asked for shall not end because nobody waits for its end.
      asked.catch(() => undefined);
      return Promise.race([asked, timer]).finally(() => late.abort());
    },
    async jobs<Value extends JobsValue>(request: JobsRequest) {
      const { status, value } = await whole('worker', 'POST', '/v1/jobs', request);
      if (!('ok' in value)) throw refusal(status, value);
      // The other end is this very program: the shape is that of protocol/jobs.ts.
      const told = value as JobsAnswer;
      if (!told.ok) throw problemOf(told);
      durability = told.durability;
      return told.value as Value;
    },
    async postLong(path, body, signal, purpose = 'operation') {
      try {
        const response = await ask(purpose, 'POST', path, body, signal);
        return accept({ status: response.statusCode ?? 0, value: parseObject(await readText(response)) });
      } catch (error) {
        throw error instanceof Problem ? error : notTaken(error);
      }
    },
    runs: (program, input, signal, keep) =>
      keep === undefined
        ? outputs('run', 'POST', '/v1/runs', { program, input }, signal)
        : outputs('operation', 'POST', '/v1/runs', { program, input, keep }, signal),
    keptRun: (id, signal) => outputs('operation', 'GET', `/v1/runs/follow?id=${id}`, undefined, signal),
    async lines<Line>(path: string, signal: AbortSignal) {
      const purpose = path.includes('follow=1') ? 'follow' : 'look';
      const response = await ask(purpose, 'GET', path, undefined, signal).catch((error: unknown) => {
        throw away(messageOf(error));
      });
      if ((response.statusCode ?? 0) < 300) return readLines<Line>(response, signal);
      throw refusal(response.statusCode ?? 0, parseObject(await readText(response)));
    },
  };
}

function away(cause: string): Problem {
  return new Problem(503, 'supervisor-away', `the supervisor does not answer: ${cause}`, {
    headers: { 'retry-after': '1' },
  });
}

/**
 * What was to be begun, and no answer came. Only where nobody took the call is it certain that nothing began: who is
 * told 503 may ask again, and would begin a second one.
 */
function notTaken(error: unknown): Problem {
  if (['ENOENT', 'ECONNREFUSED', 'EAGAIN', 'EACCES'].includes(codeOf(error) ?? ''))
    return away(messageOf(error));
  return new Problem(502, 'supervisor-away', `nobody knows whether it began: ${messageOf(error)}`, {
    remedy: 'see what there is before you ask again: GET /operations, GET /status',
  });
}

/** An ErrorAnswer of PID 1. */
function refusal(status: number, value: object): Problem {
  const error: Partial<ErrorBody> = 'error' in value && value.error ? value.error : {};
  const { code = 'refused', message = `the supervisor answered ${status}`, remedy } = error;
  const headers = status === 503 ? { 'retry-after': '1' } : {};
  return new Problem(
    status < 400 ? 502 : status,
    code,
    message,
    remedy === undefined ? { headers } : { headers, remedy },
  );
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

async function* readLines<Line>(response: IncomingMessage, signal: AbortSignal): AsyncGenerator<Line> {
  let rest = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      const texts = (rest + chunk).split('\n');
      rest = texts.pop() ?? '';
      for (const text of texts) yield parseObject(text) as Line;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    response.destroy();
  }
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below.
  }
  throw new Problem(502, 'bad-answer', 'the supervisor’s answer cannot be understood');
}
