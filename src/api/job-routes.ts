/** The routes about jobs: each is one request to the worker, by way of PID 1. */
import { isDeeperThan } from '../base/nesting.ts';
import type {
  JobAdded,
  JobCancelled,
  JobList,
  JobState,
  JobsRequest,
  JobsStatus,
  JobView,
} from '../protocol/jobs.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { ProductStatus } from '../protocol/status.ts';
import { Problem } from './problem.ts';
import type { Answer, ApiRoute, Asked, Served } from './route.ts';
import { runSchedule } from './schedule-routes.ts';
import {
  JOB_STATES,
  jobAnswer,
  jobCount,
  jobList,
  jobQuery,
  jobsStatus,
  newJob,
  nothing,
  ofType,
  scheduleRun,
} from './schemas.ts';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const DEFAULT_LIMIT = 50;
/** The worker takes data nested 100 deep, and says so; what is far deeper cannot even be handed to it. */
const DEEPEST = 1000;

const unknownJob = { what: 'unknown-job' };
const IDEMPOTENCY_KEY = 'Idempotency-Key';

export const JOB_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/jobs/status',
    group: 'jobs',
    role: 'viewer',
    summary: 'how many jobs wait, run and have ended, where they are kept, and who works',
    answers: { 200: { what: 'the queue', schema: jobsStatus } },
    run: async (_asked, { operate }) => ok(await operate.jobs<JobsStatus>({ op: 'status' })),
  },
  {
    method: 'GET',
    path: '/jobs',
    group: 'jobs',
    role: 'viewer',
    summary: 'jobs, newest first, a page at a time',
    query: jobQuery,
    answers: { 200: { what: 'a page; `cursor` is there where another follows', schema: jobList } },
    run: async ({ query }, { operate }) => ok(await operate.jobs<JobList>(listRequest(query))),
  },
  {
    method: 'GET',
    path: '/jobs/:id',
    group: 'jobs',
    role: 'viewer',
    summary: 'one job: how far it is, and what came of it',
    answers: { 200: { what: 'the job', schema: jobAnswer }, 404: unknownJob },
    run: async (asked, { operate }) => ok(await operate.jobs<JobView>({ op: 'get', id: idOf(asked) })),
  },
  {
    method: 'POST',
    path: '/jobs/:type',
    group: 'jobs',
    role: 'operator',
    summary: 'add a job of this type; where there is none of the name but a schedule, run that now',
    body: newJob,
    headers: {
      [IDEMPOTENCY_KEY]:
        'the same key again is the same job, not another, of this type; 1 to 200 visible characters',
    },
    answers: {
      200: { what: 'it was there already: the same Idempotency-Key', schema: jobAnswer },
      202: {
        what: 'added, `Location` is where it is; of a schedule: asked for',
        schema: { anyOf: [jobAnswer, scheduleRun] },
      },
      404: { what: 'unknown-type' },
      409: { what: 'singleton: `jobId` waits or runs already' },
      422: { what: 'key-reused: the Idempotency-Key was used for another request, of `jobId`' },
      502: { what: 'run-failed: of a schedule, at once' },
    },
    run: addJob,
  },
  {
    method: 'POST',
    path: '/jobs/:id/cancel',
    group: 'jobs',
    role: 'operator',
    summary: 'cancel a job: one that waits at once, one that runs is stopped with its whole process group',
    body: nothing,
    answers: {
      200: { what: 'cancelled', schema: jobAnswer },
      202: { what: 'it runs and is being stopped', schema: jobAnswer },
      404: unknownJob,
      409: { what: 'finished' },
    },
    run: async (asked, { operate }) =>
      cancelled(await operate.jobs<JobCancelled>({ op: 'cancel', id: idOf(asked) })),
  },
  {
    method: 'DELETE',
    path: '/jobs/:id',
    group: 'jobs',
    role: 'operator',
    summary: 'take a job away that waits or has ended; one that runs is cancelled and stays',
    body: nothing,
    answers: {
      202: { what: 'it runs and is being stopped', schema: jobAnswer },
      204: { what: 'gone' },
      404: unknownJob,
    },
    run: removeJob,
  },
  {
    method: 'POST',
    path: '/jobs/:id/retry',
    group: 'jobs',
    role: 'operator',
    summary: 'run a job again that failed or was cancelled',
    body: nothing,
    answers: {
      202: { what: 'it waits again', schema: jobAnswer },
      404: unknownJob,
      409: { what: 'not-finished' },
    },
    run: async (asked, { operate }) =>
      ok(await operate.jobs<JobView>({ op: 'retry', id: idOf(asked) }), { status: 202 }),
  },
  {
    method: 'POST',
    path: '/jobs/redrive',
    group: 'jobs',
    role: 'operator',
    summary: 'run everything again that failed for good',
    body: ofType,
    answers: { 200: { what: 'how many', schema: jobCount }, 404: { what: 'unknown-type' } },
    run: async ({ body }, { operate }) => ok(await operate.jobs({ op: 'redrive', ...typeOf(body) })),
  },
  {
    method: 'POST',
    path: '/jobs/pause',
    group: 'jobs',
    role: 'operator',
    summary: 'begin no more jobs; those that run go on',
    body: ofType,
    answers: { 200: { what: 'the queue', schema: jobsStatus }, 404: { what: 'unknown-type' } },
    run: async ({ body }, { operate }) => ok(await operate.jobs({ op: 'pause', ...typeOf(body) })),
  },
  {
    method: 'POST',
    path: '/jobs/resume',
    group: 'jobs',
    role: 'operator',
    summary: 'begin jobs again',
    body: ofType,
    answers: { 200: { what: 'the queue', schema: jobsStatus }, 404: { what: 'unknown-type' } },
    run: async ({ body }, { operate }) => ok(await operate.jobs({ op: 'resume', ...typeOf(body) })),
  },
];

function ok(
  value: object,
  { status = 200, ...headers }: { status?: number; location?: string } = {},
): Answer {
  return { status, body: { schemaVersion: SCHEMA_VERSION, ...value }, headers };
}

function cancelled({ job, accepted }: JobCancelled): Answer {
  return ok(job, { status: accepted === 'now' ? 200 : 202 });
}

async function addJob(asked: Asked, served: Served): Promise<Answer> {
  const { params, body } = asked;
  const type = params.type ?? '';
  const idempotencyKey = asked.header('idempotency-key');
  if (idempotencyKey !== undefined && !/^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(idempotencyKey)) {
    throw new Problem(400, 'bad-request', `${IDEMPOTENCY_KEY} must be 1 to 200 visible characters`);
  }
  if (isDeeperThan(DEEPEST, body)) throw new Problem(400, 'bad-request', 'data is nested too deep');
  // Of the shape of `newJob`: it was checked.
  const request = {
    ...body,
    op: 'add',
    type,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  } as const;
  try {
    const { job, duplicate } = await served.operate.jobs<JobAdded>(request);
    return ok(job, { status: duplicate ? 200 : 202, location: `/jobs/${job.id}` });
  } catch (error) {
    const name = error instanceof Problem ? error.body.code : '';
    if (name !== 'unknown-type' && name !== 'worker-away') throw error;
    const { schedules } = await served.operate.get<ProductStatus>('/v1/status');
    if (!schedules.some((schedule) => schedule.name === type)) throw error;
    if (Object.keys(body).length > 0) {
      throw new Problem(400, 'bad-request', `${type} is a schedule, and has its data in the plan`);
    }
    return runSchedule(type, served);
  }
}

async function removeJob(asked: Asked, { operate }: Served): Promise<Answer> {
  const id = idOf(asked);
  try {
    await operate.jobs<JobView>({ op: 'remove', id });
    return { status: 204 };
  } catch (error) {
    if (!(error instanceof Problem) || error.body.code !== 'active') throw error;
    return cancelled(await operate.jobs<JobCancelled>({ op: 'cancel', id }));
  }
}

/** Whatever is no id is the id of no job. */
function idOf({ params }: Asked): string {
  const { id = '' } = params;
  if (UUID.test(id)) return id.toLowerCase();
  throw new Problem(404, 'unknown-job', 'there is no such job', { remedy: 'see: GET /jobs' });
}

function typeOf({ type }: Asked['body']): { type?: string } {
  return typeof type === 'string' ? { type } : {};
}

function listRequest({ state, type, limit, cursor }: Asked['query']): JobsRequest {
  return {
    op: 'list',
    limit: typeof limit === 'number' ? limit : DEFAULT_LIMIT,
    ...(typeof state === 'string' ? { state: readStates(state) } : {}),
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof cursor === 'string' ? { cursor } : {}),
  };
}

function readStates(text: string): JobState[] {
  return text.split(',').map((word) => {
    const state = JOB_STATES.find((each) => each === word.trim());
    if (state !== undefined) return state;
    throw new Problem(400, 'bad-request', `"${word}" is no state of a job`, {
      remedy: `one of ${JOB_STATES.join(', ')}`,
    });
  });
}
