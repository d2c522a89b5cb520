/** Questions to the worker, by way of PID 1. */
import { Failure } from '../base/errors.ts';
import type { ErrorAnswer } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { JobList, JobsAnswer, JobsErrorCode, JobsRequest, JobsValue } from '../protocol/jobs.ts';
import { usageFailure } from './arguments.ts';
import type { Client } from './client.ts';

const EXITS: Readonly<Record<JobsErrorCode, number>> = {
  'bad-request': CommandExit.usage,
  'unknown-type': CommandExit.unknownName,
  'unknown-job': CommandExit.unknownName,
  singleton: CommandExit.refused,
  finished: CommandExit.refused,
  'not-finished': CommandExit.refused,
  active: CommandExit.refused,
  full: CommandExit.refused,
  'not-durable': CommandExit.refused,
  'too-large': CommandExit.refused,
  'key-reused': CommandExit.refused,
  'worker-away': CommandExit.unreachable,
};
/** HTTP statuses a JobsAnswer may come with. */
const STATUSES = [400, 404, 409, 413, 422, 503];

/** What the worker answers; its refusal is a Failure with the exit code of its kind. */
export async function askJobs<Value extends JobsValue>(
  client: Client,
  request: JobsRequest,
  signal?: AbortSignal,
): Promise<Value> {
  const answer = await client.post<JobsAnswer | ErrorAnswer>('/v1/jobs', request, {
    accept: STATUSES,
    ...(signal ? { signal } : {}),
  });
  if (!('ok' in answer)) {
    const { message, code, exitCode, remedy } = answer.error;
    throw new Failure(message, { code, exitCode, ...(remedy === undefined ? {} : { remedy }) });
  }
  // The other end is this very program: the shape is that of protocol/jobs.ts.
  if (answer.ok) return answer.value as Value;
  const { code, message, remedy } = answer;
  throw new Failure(message, {
    code,
    exitCode: EXITS[code] ?? CommandExit.failed,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

const WHOLE_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const PART_OF_ID = /^[\da-f][\da-f-]{2,35}$/i;
const PAGE = 200;
/** Pages that are looked through for an id that was cut short. */
const MOST_PAGES = 50;
const SHOWN = 5;

/** The whole id of the one job whose id begins or ends so; a Failure where there is none, or more than one. */
export async function findJobId(client: Client, given: string): Promise<string> {
  const part = given.toLowerCase();
  if (WHOLE_ID.test(part)) return part;
  const found = PART_OF_ID.test(part) ? await findIds(client, part) : [];
  const [id] = found;
  if (id === undefined) {
    throw new Failure(`cannot find job ${given}: there is none`, {
      code: 'unknown-job',
      remedy: 'see: bulkhead job list',
      exitCode: CommandExit.unknownName,
    });
  }
  if (found.length === 1) return id;
  const more = found.length > SHOWN ? ' …' : '';
  throw usageFailure(
    `cannot tell which job ${given} is: there is more than one`,
    `write more of its id: ${found.slice(0, SHOWN).join(', ')}${more}`,
  );
}

async function findIds(client: Client, part: string): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const list: JobList = await askJobs<JobList>(client, {
      op: 'list',
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...list.jobs.map(({ id }) => id).filter((id) => id.startsWith(part) || id.endsWith(part)));
    cursor = list.cursor;
    if (cursor === undefined || found.length > SHOWN) break;
  }
  return found;
}
