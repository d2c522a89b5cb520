/** Follows a job by asking again and again: what it is about lies in a store that tells nobody of changes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { JobView } from '../protocol/jobs.ts';
import { askJobs } from './ask-jobs.ts';
import type { Client } from './client.ts';
import type { Context } from './command.ts';
import { describeJob, durabilityNote, isOver } from './job-text.ts';
import { createProgressLine } from './progress-line.ts';

/** Soon while it may end soon, seldom when it takes long. */
const SHORTEST_MS = 100;
const LONGEST_MS = 1000;

/**
 * The job at once and after every change, until its end or an abort. A worker that starts again is waited for; a job
 * that is taken away is a Failure.
 */
export async function* followJob(client: Client, id: string, signal: AbortSignal): AsyncGenerator<JobView> {
  let last = '';
  let wait = SHORTEST_MS;
  while (!signal.aborted) {
    const job = await look(client, id, signal);
    const text = JSON.stringify(job);
    if (job !== undefined && text !== last) {
      wait = SHORTEST_MS;
      last = text;
      yield job;
      if (isOver(job)) return;
    }
    await sleep(wait, undefined, { signal }).catch(() => undefined);
    wait = Math.min(LONGEST_MS, wait * 1.5);
  }
}

async function look(client: Client, id: string, signal: AbortSignal): Promise<JobView | undefined> {
  try {
    return await askJobs<JobView>(client, { op: 'get', id }, signal);
  } catch (error) {
    if (signal.aborted || (error instanceof Failure && error.code === 'worker-away')) return undefined;
    throw error;
  }
}

/** Shows on standard error how far it is, where that is no terminal a line for each change; and resolves with its end; undefined: the signal came first. */
export async function showJob(
  context: Context,
  client: Client,
  id: string,
  signal: AbortSignal,
): Promise<JobView | undefined> {
  const show = createProgressLine(context);
  const tell = lineTeller(context);
  let end: JobView | undefined;
  try {
    for await (const job of followJob(client, id, signal)) {
      const { percent, text } = job.progress ?? {};
      show({ what: `${job.type} ${job.state}`, percent, detail: text });
      if (isOver(job)) end = job;
      else tell(job);
    }
  } finally {
    show(undefined);
  }
  return end;
}

/** For logs of others, such as of CI: what has changed, and of progress each further tenth and each new word. */
function lineTeller({ io, json, remark }: Context): (job: JobView) => void {
  if (io.err.columns !== undefined || json) return () => undefined;
  let last = '';
  return (job) => {
    const { state, attempts, failure, cancelRequested, progress: { percent = 0, text = '' } = {} } = job;
    const now = JSON.stringify([state, attempts, failure, cancelRequested, Math.floor(percent / 10), text]);
    if (now !== last) remark(describeJob(job, io.now()));
    last = now;
  };
}

/** What a command that waited for the job ends with. */
export function exitOf({ state }: JobView): number {
  return state === 'completed' ? CommandExit.ok : CommandExit.failed;
}

/** Says it on standard error where jobs are not safe. */
export function remarkDurability(context: Context, { durability }: JobView): void {
  const note = durabilityNote(durability);
  if (note !== undefined) context.remark(note);
}
