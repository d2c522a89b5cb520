import { CommandExit } from '../../protocol/exit-codes.ts';
import type { JobsStatusAnswer } from '../../protocol/job-answers.ts';
import type { JobsStatus } from '../../protocol/jobs.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { askJobs } from '../ask-jobs.ts';
import type { Context } from '../command.ts';
import { renderQueue } from '../job-text.ts';

export async function run(context: Context): Promise<number> {
  const { io, paint } = context;
  const status = await askJobs<JobsStatus>(await context.client(), { op: 'status' });
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...status } satisfies JobsStatusAnswer);
  else context.say(renderQueue(status, io.now(), io.out.columns, paint));
  return CommandExit.ok;
}
