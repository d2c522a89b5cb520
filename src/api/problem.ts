/** Errors as RFC 9457 tells them: application/problem+json, with a `code` for programs to branch on. */
import { http } from '../base/node-http.ts';
import type { Role } from '../config/roles.ts';
import type { JobsErrorCode, JobsRefusal } from '../protocol/jobs.ts';

export interface ProblemBody {
  /** With `about:blank` the title is the status' own; what happened is told by `code` and `detail`. */
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly remedy?: string;
  /** The job that stands in the way. */
  readonly jobId?: string;
  /** The role that is needed. */
  readonly role?: Role;
  /** What is wrong with the request, one by one. */
  readonly errors?: readonly ProblemError[];
}

export interface ProblemError {
  readonly at: string;
  readonly message: string;
  /** Of the body: where, as a JSON pointer (RFC 6901) in a fragment. */
  readonly pointer?: string;
  /** What was perhaps meant. */
  readonly hint?: string;
}

type More = Pick<ProblemBody, 'remedy' | 'jobId' | 'role' | 'errors'> & {
  readonly headers?: Readonly<Record<string, string>>;
};

/** Thrown wherever a request cannot be served; becomes the answer. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly body: ProblemBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, detail: string, { headers = {}, ...more }: More = {}) {
    super(detail);
    this.body = {
      type: 'about:blank',
      title: http.STATUS_CODES[status] ?? 'Error',
      status,
      code,
      detail,
      ...more,
    };
    this.headers = headers;
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const HTTP_STATUS: Readonly<Record<JobsErrorCode, number>> = {
  'bad-request': 400,
  'unknown-type': 404,
  'unknown-job': 404,
  singleton: 409,
  finished: 409,
  'not-finished': 409,
  active: 409,
  'too-large': 413,
  'key-reused': 422,
  full: 503,
  'not-durable': 503,
  'worker-away': 503,
};
/** Seconds, where the worker names none. */
const RETRY_AFTER: Partial<Record<JobsErrorCode, number>> = { full: 10, 'not-durable': 5, 'worker-away': 1 };

/** What the worker refused, as an answer. */
export function problemOf({
  code,
  message,
  remedy,
  jobId,
  retryAfter = RETRY_AFTER[code],
}: JobsRefusal): Problem {
  return new Problem(HTTP_STATUS[code] ?? 500, code, message, {
    ...(remedy === undefined ? {} : { remedy }),
    ...(jobId === undefined ? {} : { jobId }),
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': String(Math.ceil(retryAfter)) } }),
  });
}
