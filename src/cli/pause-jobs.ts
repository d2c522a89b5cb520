import { CommandExit } from '../protocol/exit-codes.ts';
import type { JobsStatusAnswer } from '../protocol/job-answers.ts';
import type { JobsStatus } from '../protocol/jobs.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import { askJobs } from './ask-jobs.ts';
import type { Context } from './command.ts';

/** `tell` is given ` of TYPE`, or nothing where all are meant. */
export async function pauseOrResume(
  context: Context,
  op: 'pause' | 'resume',
  tell: (of: string) => string,
): Promise<number> {
  const [type] = context.given.words;
  const client = await context.client();
  const status = await askJobs<JobsStatus>(client, { op, ...(type === undefined ? {} : { type }) });
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...status } satisfies JobsStatusAnswer);
  context.say(tell(type === undefined ? '' : ` of ${type}`));
  return CommandExit.ok;
}
