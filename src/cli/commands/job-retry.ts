import { CommandExit } from '../../protocol/exit-codes.ts';
import type { JobAnswer } from '../../protocol/job-answers.ts';
import type { JobView } from '../../protocol/jobs.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { shortJobId } from '../../protocol/stored-line.ts';
import { askJobs, findJobId } from '../ask-jobs.ts';
import type { Context } from '../command.ts';
import { nameOf } from '../job-text.ts';

export async function run(context: Context): Promise<number> {
  const client = await context.client();
  const id = await findJobId(client, context.given.words[0] ?? '');
  const job = await askJobs<JobView>(client, { op: 'retry', id });
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...job } satisfies JobAnswer);
  context.say(`${nameOf(job)} waits again. Follow it: bulkhead job watch ${shortJobId(id)}`);
  return CommandExit.ok;
}
