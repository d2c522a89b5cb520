import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseDuration } from '../../base/duration.ts';
import { Failure, messageOf } from '../../base/errors.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { JobAnswer } from '../../protocol/job-answers.ts';
import type { JobAdded, JobsRequest, JobView } from '../../protocol/jobs.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { shortJobId } from '../../protocol/stored-line.ts';
import { usageFailure } from '../arguments.ts';
import { askJobs } from '../ask-jobs.ts';
import type { Client } from '../client.ts';
import type { Context } from '../command.ts';
import { untilInterrupted } from '../follow.ts';
import { exitOf, remarkDurability, showJob } from '../follow-job.ts';
import { describeJob, nameOf } from '../job-text.ts';

export async function run(context: Context): Promise<number> {
  const { given } = context;
  const request = await readRequest(context);
  if (given.has('timeout') && !given.has('wait')) {
    throw usageFailure('cannot run job run: --timeout is for --wait', 'add --wait');
  }
  const client = await context.client();
  const { job, duplicate } = await askJobs<JobAdded>(client, request);
  remarkDurability(context, job);
  if (given.has('key') && job.durability !== 'durable') context.remark(KEY_HERE_ALONE);
  if (given.has('wait')) return waitFor(context, client, job);
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...job } satisfies JobAnswer);
  const what = duplicate
    ? `${describeJob(job, context.io.now())}; it was added before`
    : `${nameOf(job)} added`;
  context.say(`${what}. Follow it: bulkhead job watch ${shortJobId(job.id)}`);
  return CommandExit.ok;
}

/** Another container, with a journal of its own, does not know of it. */
const KEY_HERE_ALONE = 'note: until the store is back, the key holds in this container alone';

async function waitFor(context: Context, client: Client, job: JobView): Promise<number> {
  const timeout = context.given.duration('timeout');
  const limit = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
  const end = await untilInterrupted(context.io, (signal) =>
    showJob(context, client, job.id, limit ? AbortSignal.any([signal, limit]) : signal),
  );
  if (end === undefined) {
    context.remark(`${nameOf(job)} goes on; it is ended with: bulkhead job cancel ${shortJobId(job.id)}`);
    return limit?.aborted ? CommandExit.timedOut : CommandExit.failed;
  }
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...end } satisfies JobAnswer);
  context.say(describeJob(end, context.io.now()));
  if (end.result !== undefined && end.result !== null) context.say(JSON.stringify(end.result));
  return exitOf(end);
}

async function readRequest({ given, io }: Context): Promise<JobsRequest> {
  const data = await readData(given.value('data'), given.value('data-file'), io);
  const priority = given.value('priority');
  if (priority !== undefined && !/^-?\d{1,7}$/.test(priority)) {
    throw usageFailure(
      `cannot run job run: --priority must be a whole number, not "${priority}"`,
      'write --priority 10',
    );
  }
  const key = given.value('key');
  const singletonKey = given.value('singleton-key');
  const after = given.value('after');
  return {
    op: 'add',
    type: given.words[0] ?? '',
    ...(data === undefined ? {} : { data }),
    ...(priority === undefined ? {} : { priority: Number(priority) }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(singletonKey === undefined ? {} : { singletonKey }),
    ...(after === undefined ? {} : { startAfter: readTime(after, io.now()) }),
  };
}

async function readData(
  inline: string | undefined,
  file: string | undefined,
  io: Context['io'],
): Promise<unknown> {
  if (inline !== undefined && file !== undefined) {
    throw usageFailure('cannot run job run: --data and --data-file exclude each other', 'write one of them');
  }
  if (inline !== undefined) return parseData(inline, '--data');
  if (file === undefined) return undefined;
  if (file === '-') return parseData(await text(io.stdin), 'standard input');
  const path = resolve(io.cwd, file);
  const content = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Failure(`cannot read ${path}: ${messageOf(cause)}`, { exitCode: CommandExit.usage, cause });
  });
  return parseData(content, path);
}

function parseData(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw usageFailure(
      `cannot run job run: ${where} is not JSON: ${messageOf(error)}`,
      where === '--data'
        ? `write it in single quotes, as '{"tool": 7}'; the volume that is meant is named with BULKHEAD_DATA here`
        : 'a text needs double quotes, too',
    );
  }
}

function readTime(given: string, now: number): string {
  const wait = parseDuration(given);
  const time = wait === undefined ? Date.parse(given) : now + wait;
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw usageFailure(
    `cannot run job run: --after must be a duration or a time, not "${given}"`,
    'write --after 10m, or --after 2026-11-21T08:00:00Z',
  );
}
