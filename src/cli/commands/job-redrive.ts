import { CommandExit } from '../../protocol/exit-codes.ts';
import type { JobCountAnswer } from '../../protocol/job-answers.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { askJobs } from '../ask-jobs.ts';
import type { Context } from '../command.ts';

export async function run(context: Context): Promise<number> {
  const [type] = context.given.words;
  const client = await context.client();
  const { count } = await askJobs<{ count: number }>(client, {
    op: 'redrive',
    ...(type === undefined ? {} : { type }),
  });
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, count } satisfies JobCountAnswer);
  const of = type === undefined ? '' : ` of ${type}`;
  context.say(
    count === 0
      ? `no job${of} has failed for good: nothing to do.`
      : `${count} job${count === 1 ? '' : 's'}${of} wait${count === 1 ? 's' : ''} again. See them: bulkhead job list --state created`,
  );
  return CommandExit.ok;
}
