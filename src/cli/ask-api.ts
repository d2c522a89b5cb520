/**
 * Asks the API over HTTP. Alerts live in it, and PID 1 hands nothing on to it; whoever may use the control socket may
 * also read the token: both are root's, or the one user's that everything runs as.
 */
import { readFileSync } from 'node:fs';
import { Failure, messageOf } from '../base/errors.ts';
import { http } from '../base/node-http.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { ProductStatus } from '../protocol/status.ts';
import type { Context } from './command.ts';
import { findDataDir } from './place.ts';

const PATIENCE_MS = 15_000;

/** The JSON answer; undefined where there is none to it. A refusal is thrown. */
export async function askApi<Answer>(
  context: Context,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<Answer> {
  const client = await context.client();
  const { addresses } = await client.get<ProductStatus>('/v1/status');
  const api = addresses.find(({ what }) => what === 'api');
  if (api === undefined) {
    throw new Failure('the plan has no API, and so no alerts', {
      code: 'no-api',
      exitCode: CommandExit.refused,
      remedy: 'add `alerts: {}` to the plan',
    });
  }
  const { status, text } = await send(new URL(path, api.url), method, body, readToken(context));
  const value = text === '' ? {} : parse(text);
  if (status < 300) return value as Answer;
  const { code = 'refused', detail = `the API answered ${status}`, remedy } = value;
  throw new Failure(detail, {
    code,
    exitCode: status === 404 && code !== 'no-alerts' ? CommandExit.unknownName : CommandExit.refused,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly remedy?: string;
}

function parse(text: string): ProblemBody {
  try {
    return JSON.parse(text) as ProblemBody;
  } catch {
    throw new Failure('cannot understand the answer of the API', { exitCode: CommandExit.unreachable });
  }
}

/** As PID 1 finds it; undefined where we may not read it: on the loopback what changes nothing needs none. */
function readToken({ io, given }: Context): string | undefined {
  const { BULKHEAD_TOKEN: said, BULKHEAD_TOKEN_FILE: file } = io.env;
  if (said) return said;
  const data = findDataDir({ env: io.env, cwd: io.cwd, data: given.value('data') });
  try {
    return readFileSync(file || `${data}/secrets/token`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function send(
  url: URL,
  method: string,
  body: object | undefined,
  token: string | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      url,
      {
        method,
        agent: false,
        timeout: PATIENCE_MS,
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', fail);
      },
    );
    const fail = (error: unknown): void =>
      reject(
        new Failure(`cannot reach the API on ${url.host}: ${messageOf(error)}`, {
          exitCode: CommandExit.unreachable,
          remedy: 'see: bulkhead status api',
        }),
      );
    request.on('timeout', () => request.destroy(new Error('it does not answer')));
    request.on('error', fail);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
