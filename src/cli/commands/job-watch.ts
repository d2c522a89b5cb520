import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../base/errors.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { JobAnswer } from '../../protocol/job-answers.ts';
import type { JobList, JobView } from '../../protocol/jobs.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { askJobs, findJobId } from '../ask-jobs.ts';
import type { Client } from '../client.ts';
import type { Context } from '../command.ts';
import { untilInterrupted } from '../follow.ts';
import { exitOf, followJob } from '../follow-job.ts';
import { describeJob, isOver } from '../job-text.ts';

const LOOK_MS = 1000;
/** The newest so many are looked at each time. */
const MOST = 200;

export async function run(context: Context): Promise<number> {
  const [given] = context.given.words;
  const client = await context.client();
  if (given === undefined) {
    await untilInterrupted(context.io, (signal) => watchAll(context, client, signal));
    return CommandExit.ok;
  }
  const id = await findJobId(client, given);
  let end: JobView | undefined;
  await untilInterrupted(context.io, async (signal) => {
    for await (const job of followJob(client, id, signal)) {
      await tell(context, job);
      if (isOver(job)) end = job;
    }
  });
  return end === undefined ? CommandExit.ok : exitOf(end);
}

/** What waits or runs, then every job that is new or changed. */
async function watchAll(context: Context, client: Client, signal: AbortSignal): Promise<void> {
  let known: Map<string, string> | undefined;
  while (!signal.aborted) {
    const jobs = await newest(client, signal);
    if (jobs !== undefined) {
      const now = new Map(jobs.map((job) => [job.id, JSON.stringify(job)]));
      for (const job of jobs.toReversed()) {
        const isNews = known === undefined ? !isOver(job) : known.get(job.id) !== now.get(job.id);
        if (isNews) await tell(context, job);
      }
      known = now;
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Undefined while the worker is away: it comes back. */
async function newest(client: Client, signal: AbortSignal): Promise<readonly JobView[] | undefined> {
  try {
    return (await askJobs<JobList>(client, { op: 'list', limit: MOST }, signal)).jobs;
  } catch (error) {
    if (signal.aborted || (error instanceof Failure && error.code === 'worker-away')) return undefined;
    throw error;
  }
}

async function tell(context: Context, job: JobView): Promise<void> {
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...job } satisfies JobAnswer);
  else {
    const time = new Date(context.io.now()).toISOString().slice(11, 19);
    context.say(`${context.paint('dim', time)}  ${describeJob(job, context.io.now())}`);
  }
  await context.io.out.flushed();
}
