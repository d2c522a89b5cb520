/** JSON schemas of what is asked and answered: the shapes of protocol/, for clients that do not read TypeScript. */

import { ROLES } from '../config/roles.ts';
import type { JobState } from '../protocol/jobs.ts';
import { STATUS_WORDS } from '../protocol/status.ts';
import type { JsonSchema } from './route.ts';

export const JOB_STATES: readonly JobState[] = [
  'created',
  'retry',
  'active',
  'completed',
  'cancelled',
  'failed',
];

export const text: JsonSchema = { type: 'string' };
export const time: JsonSchema = { type: 'string', format: 'date-time' };
export const count: JsonSchema = { type: 'integer', minimum: 0 };
export const yes: JsonSchema = { type: 'boolean' };
export const version: JsonSchema = { const: 1 };
const durability: JsonSchema = {
  enum: ['durable', 'journaled', 'volatile'],
  description: 'durable: in PostgreSQL or Redis; journaled: in memory and a file; volatile: in memory alone',
};
const counts: JsonSchema = object(Object.fromEntries(JOB_STATES.map((state) => [state, count])), [
  ...JOB_STATES,
]);

/** An object that may grow: what a client does not know it shall pass over. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { type: 'object', required, properties };
}

/**
 * What is sent to us: a key that is not known is a mistake.
 * @param description also the hint of whoever sends such a key
 */
export function strict(properties: Readonly<Record<string, JsonSchema>>, description?: string): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    properties,
    ...(description === undefined ? {} : { description }),
  };
}

export function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

const typeName: JsonSchema = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' };
const key: JsonSchema = { type: 'string', minLength: 1, maxLength: 200 };

export const newJob = strict(
  {
    data: { description: 'what the job is about: any JSON of at most 64 KB' },
    priority: {
      type: 'integer',
      minimum: -1_000_000,
      maximum: 1_000_000,
      description: 'higher first (that of the type)',
    },
    startAfter: { ...time, description: 'not before this time' },
    singletonKey: { ...key, description: 'only one job of the type with this key waits or runs' },
  },
  'what the job is about stands under data: {"data": {"tool": 7}}',
);
export const ofType = strict({ type: { ...typeName, description: 'only of this type; without it, of all' } });
export const nothing = strict({});

export const jobQuery = strict({
  state: { ...text, description: `one of ${JOB_STATES.join(', ')}, or several with commas between` },
  type: { ...typeName, description: 'only of this type' },
  limit: { type: 'integer', minimum: 1, maximum: 200, description: 'at most so many (50)' },
  cursor: {
    type: 'string',
    minLength: 1,
    maxLength: 512,
    description: 'where the page before this one ended',
  },
});

const failureOf = object(
  {
    reason: {
      enum: ['exit', 'signal', 'timeout', 'memory', 'oom', 'crash', 'start', 'lease', 'dependency'],
    },
    message: text,
  },
  ['reason', 'message'],
);
const job = object(
  {
    id: { type: 'string', format: 'uuid' },
    type: text,
    state: { enum: JOB_STATES },
    priority: { type: 'integer' },
    data: {},
    singletonKey: text,
    attempts: { ...count, description: 'begun so far, of at most maxAttempts' },
    maxAttempts: count,
    createdAt: time,
    startAfter: time,
    startedAt: time,
    finishedAt: time,
    progress: object({ percent: { type: 'number' }, text }),
    result: {},
    failure: failureOf,
    cancelRequested: { const: true },
    durability,
    worker: text,
    parent: { ...text, description: 'the job that added it' },
    deadLetter: { const: true, description: 'it failed for good and waits for redrive' },
    round: { ...count, description: 'how often people had it run anew, by retry or redrive' },
    history: {
      ...list(
        object(
          {
            attempt: count,
            startedAt: time,
            endedAt: time,
            end: { enum: ['completed', 'failed', 'released', 'cancelled'] },
            failure: failureOf,
            worker: text,
          },
          ['attempt', 'startedAt', 'endedAt', 'end'],
        ),
      ),
      description:
        'the last 20 attempts that are over, the oldest first; released: put back, it does not count. Not in lists',
    },
  },
  ['id', 'type', 'state', 'priority', 'attempts', 'maxAttempts', 'createdAt', 'durability'],
);

/** A job's own fields with `schemaVersion` beside them. */
export const jobAnswer: JsonSchema = { allOf: [object({ schemaVersion: version }, ['schemaVersion']), job] };
export const jobList = object({ schemaVersion: version, jobs: list(job), cursor: text }, [
  'schemaVersion',
  'jobs',
]);
export const jobCount = object({ schemaVersion: version, count }, ['schemaVersion', 'count']);
export const jobsStatus = object(
  {
    schemaVersion: version,
    counts,
    byType: {
      type: 'object',
      additionalProperties: object(
        {
          counts,
          active: count,
          concurrency: count,
          paused: yes,
          oldestQueuedAgeMs: { type: 'number' },
          tally: { type: 'object', description: 'how attempts ended, since the worker started' },
        },
        ['counts', 'active', 'concurrency', 'paused'],
      ),
    },
    oldestQueuedAgeMs: { type: 'number' },
    store: object(
      {
        kind: { enum: ['postgres', 'redis', 'memory'] },
        durability,
        since: time,
        reason: text,
        pendingReturn: count,
      },
      ['kind', 'durability', 'since'],
    ),
    paused: yes,
    workers: list(
      object({ id: text, host: text, active: count, seenAt: time }, ['id', 'host', 'active', 'seenAt']),
    ),
  },
  ['schemaVersion', 'counts', 'byType', 'store', 'paused', 'workers'],
);

const runEnd = object({ startedAt: time, endedAt: time, ok: yes, reason: text }, [
  'startedAt',
  'endedAt',
  'ok',
]);
const schedule = object(
  {
    name: text,
    status: { enum: ['off', 'idle', 'running'] },
    reason: text,
    nextRun: time,
    runningSince: time,
    doing: text,
    lastRun: runEnd,
    lastSuccess: time,
    missed: count,
  },
  ['name', 'status', 'reason'],
);
export const schedules = object({ schemaVersion: version, schedules: list(schedule) }, [
  'schemaVersion',
  'schedules',
]);
export const scheduleRun = object({ schemaVersion: version, name: text, end: runEnd, doing: text }, [
  'schemaVersion',
  'name',
]);

export const service = object(
  {
    name: text,
    kind: { enum: ['service', 'task'] },
    status: {
      enum: STATUS_WORDS,
    },
    reason: text,
    since: time,
    generation: count,
    pid: count,
    critical: yes,
    restarts: count,
  },
  ['name', 'kind', 'status', 'reason', 'since'],
);
export const services = object({ schemaVersion: version, services: list(service) }, [
  'schemaVersion',
  'services',
]);
export const product = object(
  {
    schemaVersion: version,
    name: text,
    version: text,
    tier: text,
    pid: count,
    since: time,
    phase: { enum: ['booting', 'running', 'stopping'] },
    overall: { enum: ['pass', 'warn', 'fail'] },
    reason: text,
    services: list(service),
    schedules: list(schedule),
    notes: list(text),
  },
  ['schemaVersion', 'name', 'overall', 'reason', 'services', 'schedules'],
);

export const eventQuery = strict({
  topics: {
    ...text,
    description: 'events, jobs, state, operations, logs, with commas between (events,jobs)',
  },
  follow: { ...yes, description: 'false: no stream, but the events that are kept, as JSON (true)' },
  service: {
    ...text,
    description: 'of the lines, and of a list, only those of this service, or of several with commas between',
  },
  tail: {
    type: 'integer',
    minimum: 0,
    maximum: 500,
    description:
      'so many lines of before, for who comes for the first time (0); of a list: the newest so many',
  },
  since: { ...count, description: 'events after this number, as Last-Event-ID' },
});
export const logQuery = strict({
  service: { ...text, description: 'only of this service, or of several with commas between' },
  job: { ...text, description: 'only of this job, by its whole id or its last 8 characters' },
  tail: { type: 'integer', minimum: 1, maximum: 1000, description: 'the newest so many lines (100)' },
  since: { ...text, description: 'lines from then on, out of the files: 10m, 2h, or an ISO 8601 time' },
  grep: {
    type: 'string',
    minLength: 1,
    maxLength: 500,
    description: 'only lines with this text in them, out of the files; needs a token',
  },
});
export const logs = object(
  {
    schemaVersion: version,
    lines: list(
      object({ time, service: text, stream: { enum: ['stdout', 'stderr', 'note'] }, job: text, line: text }, [
        'time',
        'service',
        'stream',
        'line',
      ]),
    ),
  },
  ['schemaVersion', 'lines'],
);

export const problem = object(
  {
    type: { const: 'about:blank' },
    title: text,
    status: count,
    code: { ...text, description: 'a short stable word to branch on' },
    detail: text,
    remedy: text,
    jobId: text,
    role: { enum: ROLES, description: 'the role that is needed' },
    errors: list(
      object(
        {
          at: text,
          message: text,
          pointer: { ...text, description: 'where in the body, a JSON pointer: #/data' },
          hint: text,
        },
        ['at', 'message'],
      ),
    ),
  },
  ['type', 'title', 'status', 'code', 'detail'],
);
