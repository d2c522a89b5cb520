import { suggestWord } from '../../base/suggest.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { JobListAnswer } from '../../protocol/job-answers.ts';
import type { JobList, JobState, JobView } from '../../protocol/jobs.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { usageFailure } from '../arguments.ts';
import { askJobs } from '../ask-jobs.ts';
import type { Context } from '../command.ts';
import { renderJobs } from '../job-text.ts';

const STATES: readonly JobState[] = ['created', 'retry', 'active', 'completed', 'cancelled', 'failed'];
const DEFAULT_LIMIT = 50;
/** Of one question. */
const PAGE = 200;

export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const state = given.values('state').flatMap((text) => text.split(',').map(readState));
  const type = given.value('type');
  const limit = readLimit(given.value('limit'));
  const client = await context.client();
  const jobs: JobView[] = [];
  let cursor: string | undefined;
  do {
    const page: JobList = await askJobs<JobList>(client, {
      op: 'list',
      limit: Math.min(PAGE, limit - jobs.length),
      ...(state.length === 0 ? {} : { state }),
      ...(type === undefined ? {} : { type }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    jobs.push(...page.jobs);
    cursor = page.cursor;
  } while (cursor !== undefined && jobs.length < limit);
  if (context.json) {
    const more = cursor === undefined ? {} : { cursor };
    context.sayJson({ schemaVersion: SCHEMA_VERSION, jobs, ...more } satisfies JobListAnswer);
  } else if (jobs.length === 0) {
    context.say('there are no such jobs');
  } else {
    context.say(renderJobs(jobs, io.now(), io.out.columns, context.paint).join('\n'));
    if (cursor !== undefined) context.say(context.paint('dim', `older ones: --limit ${limit * 4}`));
  }
  return CommandExit.ok;
}

function readState(word: string): JobState {
  const found = STATES.find((each) => each === word.trim());
  if (found !== undefined) return found;
  const meant = suggestWord(word, STATES);
  throw usageFailure(
    `cannot run job list: "${word}" is no state of a job`,
    meant === undefined ? `use one of: ${STATES.join(', ')}` : `did you mean ${meant}?`,
  );
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usageFailure(
    `cannot run job list: --limit must be a number of jobs, not "${text}"`,
    'write --limit 200',
  );
}
