/** Whether a job that somebody wants added is one, and what is stored of it. */
import type { JobTypePlan } from '../../config/plan-jobs.ts';
import type { JobsRefusal, JobsRequest } from '../../protocol/jobs.ts';
import { makeJobId } from '../job-id.ts';
import type { NewJob } from '../store.ts';
import { findJsonProblem } from './json-limits.ts';
import { refuse } from './refuse.ts';

export type AddRequest = Extract<JobsRequest, { op: 'add' }>;

const LONGEST_KEY = 200;
const MOST_PRIORITY = 1_000_000;

export function isRefusal<T extends object>(value: T | JobsRefusal): value is JobsRefusal {
  return 'ok' in value && value.ok === false;
}

/**
 * The plan's word beats the request's: a type that is single by a key of its data cannot be added around it.
 * @param now Milliseconds since the epoch.
 * @param scope Its idempotency key counts within it alone.
 */
export function checkAdd(
  request: AddRequest,
  type: JobTypePlan,
  now: number,
  scope?: string,
): NewJob | JobsRefusal {
  const { data = {}, priority = type.priority, idempotencyKey, parent } = request;
  const problem =
    findJsonProblem('data', data) ??
    keyProblem('idempotencyKey', idempotencyKey) ??
    keyProblem('singletonKey', request.singletonKey) ??
    keyProblem('parent', parent);
  if (problem) return refuse(problem.code, problem.message);
  if (!Number.isInteger(priority) || Math.abs(priority) > MOST_PRIORITY) {
    return refuse('bad-request', `priority must be a whole number up to ${MOST_PRIORITY}`);
  }
  const startAfter = request.startAfter === undefined ? undefined : new Date(request.startAfter);
  if (startAfter && Number.isNaN(startAfter.getTime())) {
    return refuse('bad-request', 'startAfter must be a time in ISO 8601, like 2026-01-31T12:00:00Z');
  }
  const singletonKey = singleOf(type, data, request.singletonKey);
  if (typeof singletonKey === 'object') return singletonKey;
  return {
    id: makeJobId(type.name, idempotencyKey, now, scope),
    type: type.name,
    data,
    priority,
    maxAttempts: 1 + type.retries,
    startAfter,
    singletonKey,
    parent,
  };
}

function singleOf(
  { name, singleton }: JobTypePlan,
  data: unknown,
  asked: string | undefined,
): string | undefined | JobsRefusal {
  if (singleton === false) return asked;
  if (singleton === true) return name;
  const value: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, singleton) : undefined;
  // Of another shape, as a scrape of an address that is no tool's: nothing holds it back.
  if (value === undefined) return undefined;
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  const problem =
    typeof text === 'string' && text !== ''
      ? keyProblem(`data.${singleton}`, text)
      : {
          code: 'bad-request' as const,
          message: `data.${singleton} must be a text or a number: there is one ${name} at a time for each of its values`,
        };
  return problem ? refuse(problem.code, problem.message) : `${singleton}=${String(text)}`;
}

function keyProblem(what: string, key: unknown): { code: 'bad-request'; message: string } | undefined {
  if (key === undefined) return undefined;
  const good =
    typeof key === 'string' && key.length <= LONGEST_KEY && key.isWellFormed() && !key.includes('\0');
  return good
    ? undefined
    : { code: 'bad-request', message: `${what} must be a text of at most ${LONGEST_KEY}` };
}
