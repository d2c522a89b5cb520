/** A client of the control socket: finds it, asks, and turns refusals into Failures with the right exit code. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Failure, messageOf } from '../base/errors.ts';
import { http } from '../base/node-http.ts';
import { DATA_HEADER, type ErrorBody } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { type Attempt, unreachable } from './unreachable.ts';

export interface Client {
  /** The whole JSON answer; a refusal is thrown. */
  get<Answer>(path: string, options?: AskOptions): Promise<Answer>;
  post<Answer>(path: string, body: object, options?: AskOptions): Promise<Answer>;
  /** One value per line; ends quietly when `signal` is aborted. An `error` line is thrown. */
  lines<Line extends object>(path: string, options?: LinesOptions): Promise<AsyncIterable<Line>>;
}

interface AskOptions {
  /** Statuses above 299 that are answers too. */
  readonly accept?: readonly number[];
  readonly signal?: AbortSignal;
}

interface LinesOptions {
  readonly signal?: AbortSignal;
  /** Given: a POST. It may write to the request while the answer comes, and ends it. */
  readonly write?: (request: ClientRequest) => void;
}

export interface Place {
  /** Socket paths to try in this order. */
  readonly paths: readonly string[];
  /** Spellings of the volume that is meant; empty: whichever answers. */
  readonly volumes: readonly string[];
}

/** Nothing is connected before the first request; the path that answered is kept. */
export function createClient(place: Place): Client {
  let paths = place.paths;
  const headers: Record<string, string> =
    place.volumes.length === 0 ? {} : { [DATA_HEADER]: place.volumes.map(encodeURIComponent).join(',') };

  async function ask(
    method: string,
    path: string,
    write: (request: ClientRequest) => void,
    signal?: AbortSignal,
    more: Readonly<Record<string, string>> = {},
  ): Promise<IncomingMessage> {
    const attempts: Attempt[] = [];
    for (const socketPath of paths) {
      try {
        const response = await send(
          { method, path, socketPath, headers: { ...headers, ...more }, signal, agent: false },
          write,
        );
        if (response.statusCode === 421) {
          response.resume();
          attempts.push({ path: socketPath, code: 'other-volume', cause: 'it runs another volume' });
          continue;
        }
        paths = [socketPath];
        return response;
      } catch (error) {
        if (signal?.aborted) throw error;
        attempts.push({ path: socketPath, ...describeCause(error) });
      }
    }
    throw unreachable(attempts, place.volumes[0]);
  }

  async function askWhole<Answer>(response: IncomingMessage, accept: readonly number[]): Promise<Answer> {
    const text = await readText(response);
    const status = response.statusCode ?? 0;
    const value = parseJson(text);
    if (status < 300 || accept.includes(status)) return value as Answer;
    throw refusal(value, status);
  }

  return {
    async get(path, { accept = [], signal } = {}) {
      return askWhole(await ask('GET', path, (request) => request.end(), signal), accept);
    },
    async post(path, body, { accept = [], signal } = {}) {
      return askWhole(
        await ask('POST', path, (request) => request.end(JSON.stringify(body)), signal),
        accept,
      );
    },
    async lines<Line extends object>(path: string, { signal, write }: LinesOptions = {}) {
      const method = write ? 'POST' : 'GET';
      // What is streamed cannot be sent twice: the right path is found before the first byte of it.
      if (write && paths.length > 1)
        (await ask('GET', '/v1/health', (request) => request.end(), signal)).resume();
      // Whoever streams may still be writing when the answer is whole: the connection is ours to close, else the
      // other side's closing would tear the answer away.
      const open = write ? { connection: 'keep-alive' } : {};
      const response = await ask(method, path, write ?? ((request) => request.end()), signal, open);
      if ((response.statusCode ?? 0) >= 300) throw refusal(parseJson(await readText(response)), 0);
      return readLines<Line>(response, signal);
    },
  };
}

interface RequestOptions {
  readonly method: string;
  readonly path: string;
  readonly socketPath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  readonly agent: false;
}

function send(options: RequestOptions, write: (request: ClientRequest) => void): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { signal, ...rest } = options;
    const request = http.request(signal ? { ...rest, signal } : rest, (response) => {
      // Once an answer is there, an abort or a torn connection shows in reading it.
      response.on('error', () => undefined);
      resolve(response);
    });
    request.on('error', reject);
    // Bytes leave only once connected, so that the next path is tried with an untouched body.
    request.once('socket', (socket) => socket.once('connect', () => write(request)));
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

async function* readLines<Line extends object>(
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<Line> {
  let rest = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      const texts = (rest + chunk).split('\n');
      rest = texts.pop() ?? '';
      for (const text of texts) {
        const value = parseJson(text);
        if ('type' in value && value.type === 'error' && 'error' in value) throw refusal(value, 0);
        yield value as Line;
      }
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    response.destroy();
  }
}

function parseJson(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below, like any other answer that is none of ours.
  }
  throw new Failure('cannot understand the answer: what listens there is not a Bulkhead supervisor', {
    exitCode: CommandExit.unreachable,
  });
}

function refusal(value: object, status: number): Failure {
  const error = 'error' in value ? (value.error as Partial<ErrorBody>) : {};
  return new Failure(error.message ?? `cannot do this: the supervisor answered ${status}`, {
    code: error.code ?? 'refused',
    exitCode: error.exitCode ?? CommandExit.failed,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  });
}

function describeCause(error: unknown): { code: string; cause: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return { code, cause: messageOf(error) };
}
