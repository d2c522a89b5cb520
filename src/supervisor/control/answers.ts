import type { ServerResponse } from 'node:http';
import { Failure, messageOf } from '../../base/errors.ts';
import type { ErrorAnswer, ErrorBody } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';

/** A failure of the request itself, with its own HTTP status. */
export class RequestFailure extends Failure {
  readonly httpStatus: number;
  constructor(httpStatus: number, code: string, message: string, remedy?: string) {
    super(message, { code, exitCode: CommandExit.usage, ...(remedy === undefined ? {} : { remedy }) });
    this.httpStatus = httpStatus;
  }
}

const HTTP_STATUS: Readonly<Record<number, number>> = {
  [CommandExit.usage]: 400,
  [CommandExit.notRunning]: 409,
  [CommandExit.unknownName]: 404,
  [CommandExit.refused]: 409,
  [CommandExit.invalidConfiguration]: 422,
  [CommandExit.timedOut]: 504,
};

/** What a client is told of anything thrown. A bug shows its message, never its stack. */
function errorBody(error: unknown): ErrorBody {
  if (error instanceof Failure) {
    return {
      code: error.code ?? 'failed',
      message: error.message,
      remedy: error.remedy,
      exitCode: error.exitCode ?? CommandExit.failed,
    };
  }
  const message = `internal error: ${messageOf(error)}`;
  return { code: 'internal', message, remedy: undefined, exitCode: CommandExit.failed };
}

function httpStatusOf(error: unknown): number {
  if (error instanceof RequestFailure) return error.httpStatus;
  return HTTP_STATUS[errorBody(error).exitCode] ?? 500;
}

/** Sends a whole JSON answer. */
export function sendJson(response: ServerResponse, status: number, value: object): void {
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/** Sends a failure: as an answer of its own, or as the last line of a stream that has begun. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.writableEnded || response.destroyed) return;
  const body = errorBody(error);
  if (response.headersSent) response.end(`${JSON.stringify({ type: 'error', error: body })}\n`);
  else
    sendJson(response, httpStatusOf(error), {
      schemaVersion: SCHEMA_VERSION,
      error: body,
    } satisfies ErrorAnswer);
}
