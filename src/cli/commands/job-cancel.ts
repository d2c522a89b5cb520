import { CommandExit } from '../../protocol/exit-codes.ts';
import type { JobAnswer } from '../../protocol/job-answers.ts';
import type { JobCancelled } from '../../protocol/jobs.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { shortJobId } from '../../protocol/stored-line.ts';
import { askJobs, findJobId } from '../ask-jobs.ts';
import type { Context } from '../command.ts';
import { nameOf } from '../job-text.ts';

export async function run(context: Context): Promise<number> {
  const client = await context.client();
  const id = await findJobId(client, context.given.words[0] ?? '');
  const { job, accepted } = await askJobs<JobCancelled>(client, { op: 'cancel', id });
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...job } satisfies JobAnswer);
  const short = shortJobId(id);
  context.say(
    accepted === 'now'
      ? `${nameOf(job)} was cancelled. Run it after all: bulkhead job retry ${short}`
      : `${nameOf(job)} runs and is being stopped. See how it ends: bulkhead job watch ${short}`,
  );
  return CommandExit.ok;
}
