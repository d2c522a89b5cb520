/** `schedules:` what runs when it is due, each a task that nobody waits for. */
import { parseCron } from '../base/cron.ts';
import { suggestWord } from '../base/suggest.ts';
import { type BuildContext, buildDraft } from './build-run.ts';
import { commandWords } from './command-words.ts';
import { confineWords } from './confine-words.ts';
import { jsonValue } from './json-value.ts';
import { linePosition, type Place } from './located.ts';
import type { SchedulePlan } from './plan-schedules.ts';
import { requiresOf } from './requires.ts';
import { duration, flag, integer, oneOf, period, signal } from './scalars.ts';
import type { ServiceStanza } from './service-words.ts';
import { text } from './shape.ts';
import { placeOfWord, type Stanza, stanza } from './words.ts';

/** As the finest cron expression. ms */
const SHORTEST = 1000;

const scheduleWords = {
  ...commandWords,
  cron: {
    shape: text,
    doc: 'When: minute, hour, day, month, weekday, with seconds before them where there are six; or @daily, @hourly, @weekly, @monthly. Empty: off.',
    examples: ['0 2 * * *', '@weekly'],
  },
  every: {
    shape: period,
    doc: 'Instead of cron: the time from one to the next, counted from midnight UTC where it divides a day. A plain number counts seconds. 0: off.',
    examples: ['5m'],
  },
  time_zone: {
    shape: text,
    doc: "An IANA name that the expression is read in. Default: the container's own, TZ.",
    examples: ['Europe/Berlin'],
  },
  job: {
    shape: text,
    doc: 'The type of job that is added when it is due, instead of a command.',
    examples: ['scrape-all'],
  },
  data: { shape: jsonValue, doc: 'The data of that job.', examples: [{ stale: '7d' }] },
  requires: {
    shape: requiresOf('cluster'),
    doc: 'What it cannot do without: cluster, a PostgreSQL of our own. Where the database is elsewhere it is off.',
    examples: [['cluster']],
  },
  enabled: { shape: flag, doc: 'false: off.', default: true },
  overlap: {
    shape: oneOf('skip', 'queue'),
    doc: 'What happens when it is due while it still runs: nothing, or once more right after.',
    default: 'skip',
  },
  catch_up: {
    shape: flag,
    doc: 'Whether one that was missed, because the container was down, is run once when it is back.',
    default: true,
  },
  jitter: {
    shape: duration,
    doc: 'Up to so much later, at random, so that many containers do not act at once.',
  },
  timeout: {
    shape: duration,
    doc: 'How long a run may take; then it is stopped and has failed. Default: no limit.',
  },
  retries: { shape: integer(0, 1000), doc: 'How often a failed run is tried again.', default: 0 },
  retry_after: {
    shape: duration,
    doc: 'After so long a run that failed, all its retries too, is run once more, out of its turn; after each further failure twice as long later, 5m at most, until it goes well. Default: at its next time.',
    examples: ['15s'],
  },
  stop_signal: { shape: signal, doc: 'The first signal of a stop.', default: 'SIGTERM' },
  stop_grace_period: {
    shape: duration,
    doc: 'How long it may take to stop before SIGKILL, within BULKHEAD_STOP_TIMEOUT.',
    default: '10s',
  },
  nice: { shape: integer(-20, 19), doc: 'Scheduling priority: 19 is the most patient.' },
  oom_score_adj: {
    shape: integer(-1000, 1000),
    doc: 'Whom the kernel kills first when memory ends: higher goes first.',
  },
  ...confineWords,
} as const;

export type ScheduleStanza = Stanza<typeof scheduleWords>;

export const schedule = stanza(scheduleWords, {
  aliases: {
    schedule: '`cron`',
    at: '`cron`',
    when: '`cron`',
    timezone: '`time_zone`',
    tz: '`time_zone`',
    concurrency_policy: '`overlap`',
    missed: '`catch_up`',
    cmd: '`command`',
    cwd: '`working_dir`',
    env: '`environment`',
    start_timeout: '`timeout`',
  },
  refused: {
    depends_on:
      'it runs when it is due; where something it needs is away it fails, and retries say how often it tries again',
    restart: 'it runs once each time it is due; write retries: COUNT for failed runs',
    critical: 'a schedule never ends the container; its failures are told in status and health',
  },
});

/**
 * Undefined where the words were refused.
 * @param types of the jobs that are written, whatever is wrong with them
 */
export function buildSchedule(
  name: string,
  read: ScheduleStanza,
  key: Place,
  types: readonly DeclaredJob[],
  context: BuildContext,
): SchedulePlan | undefined {
  const where = `schedules.${name}`;
  const cron = read.cron?.trim() ?? '';
  const every = read.every || undefined;
  const said = read.at.kind === 'map' ? read.at.entries : undefined;
  if (!said?.has('cron') && !said?.has('every')) {
    return context.problems.error(key, 'missing-word', `${where} needs "cron" or "every"`, {
      suggestion: 'say when it is due: cron: "0 2 * * *", or every: 5m',
    });
  }
  if (every !== undefined && every < SHORTEST) {
    return context.problems.error(
      placeOfWord(read.at, 'every'),
      'wrong-value',
      `${where}.every is less than 1s`,
      {
        suggestion: 'write a duration such as 300s or 5m',
      },
    );
  }
  if (cron !== '' && every !== undefined) {
    return context.problems.error(
      placeOfWord(read.at, 'every'),
      'wrong-value',
      `${where} has cron and every`,
      {
        suggestion: 'write one of them; every: 0s takes away the one of the file below, and so does cron: ""',
      },
    );
  }
  const what =
    read.job === undefined ? buildTask(name, read, key, context) : buildAdding(name, read, types, context);
  const never = cron === '' && every === undefined ? 'no cron expression' : undefined;
  const off = read.enabled === false ? 'enabled is false' : never;
  if (off === undefined && every === undefined) {
    const times = parseCron(cron, read.time_zone);
    if ('why' in times) {
      const isZone = times.why.includes('time zone');
      return context.problems.error(
        placeOfWord(read.at, isZone ? 'time_zone' : 'cron'),
        'wrong-value',
        isZone ? `${where}.time_zone: ${times.why}` : `${where}.cron "${cron}" cannot be read: ${times.why}`,
        {
          suggestion: isZone
            ? 'write an IANA name: Europe/Berlin, UTC'
            : 'write "MINUTE HOUR DAY MONTH WEEKDAY"',
        },
      );
    }
  }
  if (what === undefined) return undefined;
  return {
    name,
    cron,
    ...(every === undefined ? {} : { every }),
    timeZone: read.time_zone,
    overlap: read.overlap ?? 'skip',
    catchUp: read.catch_up ?? true,
    jitter: read.jitter ?? 0,
    ...(read.retry_after ? { retryAfter: read.retry_after } : {}),
    off,
    ...what,
  };
}

type What = Pick<SchedulePlan, 'run' | 'job'>;

function buildTask(name: string, read: ScheduleStanza, key: Place, context: BuildContext): What | undefined {
  const { timeout, job: _none, data, requires: _switch, retry_after: _ours, ...words } = read;
  const where = `schedules.${name}`;
  if (data !== undefined) {
    context.problems.error(placeOfWord(read.at, 'data'), 'not-of-a-command', `${where} has data and no job`, {
      suggestion: 'add job: NAME, or drop data',
    });
  }
  const stanza: ServiceStanza = {
    ...words,
    type: 'task',
    ...(timeout === undefined ? {} : { start_timeout: timeout }),
  };
  const draft = buildDraft(name, stanza, key, context, where);
  if (draft?.run.kind !== 'task') return undefined;
  return { run: { ...draft.run, critical: false }, job: undefined };
}

/** What a schedule that adds a job can say; the rest is said by the type of the job. */
const OF_ADDING: readonly string[] = [
  'cron',
  'every',
  'requires',
  'time_zone',
  'job',
  'data',
  'enabled',
  'overlap',
  'catch_up',
  'jitter',
];

export interface DeclaredJob {
  readonly name: string;
  readonly at: Place;
}

function buildAdding(
  name: string,
  read: ScheduleStanza,
  types: readonly DeclaredJob[],
  { problems }: BuildContext,
): What | undefined {
  const where = `schedules.${name}`;
  const { job: type = '' } = read;
  for (const word of Object.keys(scheduleWords)) {
    if (!(word in read) || OF_ADDING.includes(word)) continue;
    problems.error(placeOfWord(read.at, word), 'not-of-a-job', `${where} adds a job: ${word} means nothing`, {
      suggestion: `write it under jobs: { ${type}: … }, or drop it`,
    });
  }
  const names = types.map((job) => job.name);
  if (!names.includes(type)) {
    const meant = types.find((job) => job.name === suggestWord(type, names));
    // Either of the two is mistyped: the one that stands alone as a key is where people look last.
    const there = meant && `${meant.at.file.path}:${linePosition(meant.at.file, meant.at.start).line}`;
    problems.error(
      placeOfWord(read.at, 'job'),
      'unknown-job',
      `${where} adds "${type}", and there is no such job`,
      {
        suggestion:
          meant === undefined
            ? undefined
            : `did you mean "${meant.name}"? or, where that one is mistyped: jobs.${type} at ${there}`,
        note: names.length === 0 ? 'the plan has no jobs' : `jobs here: ${names.join(', ')}`,
      },
    );
  }
  return { run: undefined, job: { type, data: read.data?.json } };
}
