/** One message to somebody else: a request to their server. */
import type { IncomingMessage } from 'node:http';
import { messageOf } from '../base/errors.ts';
import { http } from '../base/node-http.ts';

export interface Outgoing {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** For a command of the plan, which PID 1 starts: a message to a sink by its name. */
export interface Handout {
  readonly sink: string;
  readonly message: object;
}

export interface Posted {
  readonly ok: boolean;
  /** Of a failure: one sentence that holds nothing of the address but its host. */
  readonly error: string;
  /** What the other side asks us to wait, ms. */
  readonly retryAfter: number | undefined;
}

const TIMEOUT_MS = 5000;
const REDIRECT = 'it answers with a redirect, and none is followed';

/**
 * Never rejects. No redirect is followed: where a message goes is what the plan says. The answer’s body is not read.
 * @param timeout ms until the answer must have begun
 * @param now ms since the epoch, for a Retry-After that is a date
 */
export async function post(
  { url, method, headers, body }: Outgoing,
  now: () => number,
  timeout: number = TIMEOUT_MS,
): Promise<Posted> {
  const place = hostOf(url);
  try {
    const response = await request({ url, method, headers, body }, timeout);
    const { statusCode = 0 } = response;
    response.resume();
    response.destroy();
    if (statusCode >= 200 && statusCode < 300) return { ok: true, error: '', retryAfter: undefined };
    const why = statusCode >= 300 && statusCode < 400 ? REDIRECT : `it answers ${statusCode}`;
    return { ok: false, error: `${place}: ${why}`, retryAfter: readRetryAfter(response, now) };
  } catch (error) {
    return { ok: false, error: `${place}: ${messageOf(error)}`, retryAfter: undefined };
  }
}

/** Many an address is a secret from its path on. */
export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'an address that cannot be read';
}

function request({ url, method, headers, body }: Outgoing, timeout: number): Promise<IncomingMessage> {
  const parsed = new URL(url);
  const { request: open } = parsed.protocol === 'https:' ? process.getBuiltinModule('node:https') : http;
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => asked.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    const asked = open(
      parsed,
      {
        method,
        agent: false,
        headers: { 'user-agent': 'bulkhead', ...headers, 'content-length': String(Buffer.byteLength(body)) },
      },
      (response) => {
        clearTimeout(late);
        response.on('error', () => undefined);
        resolve(response);
      },
    );
    asked.on('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    asked.end(body);
  });
}

function readRetryAfter({ headers }: IncomingMessage, now: () => number): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now();
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
