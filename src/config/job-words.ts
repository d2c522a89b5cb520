/** `jobs:` what may be asked for through the queue; each attempt of a job is a process of its own. */
import { type BuildContext, buildDraft, type Draft } from './build-run.ts';
import { commandWords } from './command-words.ts';
import { confineWords } from './confine-words.ts';
import { deploy } from './deploy-words.ts';
import { concurrency, settleConcurrency } from './job-concurrency.ts';
import type { Place } from './located.ts';
import type { AttemptPlan, JobTypePlan } from './plan-jobs.ts';
import { requiresOf } from './requires.ts';
import { duration, flag, integer, signal } from './scalars.ts';
import type { ServiceStanza } from './service-words.ts';
import { parsed, type Shape, VARIABLE } from './shape.ts';
import { placeOfWord, type Stanza, stanza } from './words.ts';

/** A name of the data is one level deep: what it holds is the key. */
const singleton: Shape<boolean | string> = parsed(
  'true, false or the name of a key of the data',
  (text) =>
    /^(true|false)$/i.test(text)
      ? text.toLowerCase() === 'true'
      : /^[A-Za-z_][A-Za-z0-9_-]*$/.test(text)
        ? text
        : undefined,
  { anyOf: [{ type: 'boolean' }, { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_-]*$' }, VARIABLE] },
);

const MINUTE = 60_000;

const jobWords = {
  ...commandWords,
  concurrency: {
    shape: concurrency,
    doc: 'How many of it run at once, in this container. auto: as many as half of its memory has room for, each with deploy.resources.limits.memory, and two for each of its processors at most.',
    default: 1,
  },
  timeout: {
    shape: duration,
    doc: 'How long one attempt may take; then all of it is stopped and it has failed. 0: no limit.',
    default: '15m',
  },
  retries: { shape: integer(0, 1000), doc: 'How often a failed one is tried again.', default: 2 },
  retry_delay: {
    shape: duration,
    doc: 'The wait before the first of these; each further one is about twice as long.',
    default: '10s',
  },
  retry_delay_max: { shape: duration, doc: 'The longest of these waits.', default: '10m' },
  priority: {
    shape: integer(-1_000_000, 1_000_000),
    doc: 'Which of the waiting ones goes first: the higher. Who adds a job may say another.',
    default: 0,
  },
  singleton: {
    shape: singleton,
    doc: 'true: while one waits or runs, another is refused. The name of a key of the data: the same for each value of it; data without that key are not held back.',
    default: false,
    examples: ['tool'],
  },
  requires: {
    shape: requiresOf('database'),
    doc: 'What it cannot do without: database. While that is away such a job is neither taken in nor started.',
    examples: [['database']],
  },
  stop_signal: { shape: signal, doc: 'The first signal of a stop.', default: 'SIGTERM' },
  stop_grace_period: {
    shape: duration,
    doc: 'How long it may take to stop before SIGKILL: when it is cancelled or its time is up.',
    default: '10s',
  },
  deploy: {
    shape: deploy,
    doc: 'What each attempt may use: resources.limits.memory; more is its end, and a failure.',
    examples: [{ resources: { limits: { memory: '512m' } } }],
  },
  nice: {
    shape: integer(-20, 19),
    doc: 'Scheduling priority: 19 is the most patient.',
    default: 10,
  },
  oom_score_adj: {
    shape: integer(-1000, 1000),
    doc: 'Whom the kernel kills first when memory ends: higher goes first. Default: 400 above that of Bulkhead, so jobs go before services.',
  },
  enabled: { shape: flag, doc: 'false: there is no such job.', default: true },
  ...confineWords,
} as const;

export type JobStanza = Stanza<typeof jobWords>;

export const job = stanza(jobWords, {
  aliases: {
    cmd: '`command`',
    run: '`command`',
    script: '`command`',
    handler: '`command`',
    cwd: '`working_dir`',
    env: '`environment`',
    max_concurrent: '`concurrency`',
    workers: '`concurrency`',
    parallel: '`concurrency`',
    start_timeout: '`timeout`',
    expire_in: '`timeout`',
    ttl: '`timeout`',
    attempts: '`retries`: one less, for the first is no retry',
    max_attempts: '`retries`: one less, for the first is no retry',
    max_retries: '`retries`',
    retry: '`retries`',
    retry_limit: '`retries`',
    backoff: '`retry_delay`',
    unique: '`singleton`',
    singleton_key: '`singleton`',
    depends_on: '`requires`',
    needs: '`requires`',
    memory_limit: '`deploy: { resources: { limits: { memory: … } } }`',
    memory_restart: '`deploy: { resources: { limits: { memory: … } } }`',
  },
  refused: {
    cron: 'write a schedule that adds it: schedules: { NAME: { cron: …, job: NAME } }',
    schedule: 'write a schedule that adds it: schedules: { NAME: { cron: …, job: NAME } }',
    restart: 'a job runs once each time it is asked for; write retries: COUNT for failed ones',
    critical: 'a job never ends the container; its failures are told in the queue',
    data: 'data comes with each job that is added',
  },
});

/** What the worker is told of it, how it is started, and where it stands. Undefined where the words were refused. */
export function buildJob(
  name: string,
  read: JobStanza,
  key: Place,
  context: BuildContext,
): { readonly type: JobTypePlan; readonly attempt: AttemptPlan; readonly draft: Draft } | undefined {
  const where = `jobs.${name}`;
  const stanza: ServiceStanza = {
    at: read.at,
    type: 'task',
    ...pick(read, [
      'command',
      'environment',
      'env_file',
      'working_dir',
      'user',
      'folders',
      'stop_signal',
      'stop_grace_period',
      'oom_score_adj',
      'umask',
      'ulimits',
      'cap_add',
      'privileged',
    ]),
    nice: read.nice ?? jobWords.nice.default,
  };
  // Its grace counts when it is cancelled: at a stop of everything the budget counts, whatever it is.
  const draft = buildDraft(name, stanza, key, { ...context, stopTimeout: Number.POSITIVE_INFINITY }, where);
  if (read.deploy?.replicas !== undefined) {
    context.problems.error(
      placeOfWord(read.deploy.at, 'replicas'),
      'not-of-a-job',
      `${where} is a job: replicas mean nothing`,
      { suggestion: 'write concurrency: COUNT' },
    );
  }
  if (draft?.run.kind !== 'task') return undefined;
  const { kind: _task, retries: _none, ...base } = draft.run;
  const delay = read.retry_delay ?? 10_000;
  const memoryLimit = read.deploy?.resources?.limits?.memory || undefined;
  return {
    type: {
      name,
      concurrency: settleConcurrency(read, memoryLimit, where, context),
      timeout: (read.timeout ?? 15 * MINUTE) || undefined,
      retries: read.retries ?? jobWords.retries.default,
      retryDelay: delay,
      retryDelayMax: Math.max(delay, read.retry_delay_max ?? 10 * MINUTE),
      priority: read.priority ?? jobWords.priority.default,
      singleton: read.singleton ?? jobWords.singleton.default,
      requires: read.requires ?? [],
    },
    attempt: {
      ...base,
      kind: 'attempt',
      critical: false,
      memoryLimit,
    },
    draft,
  };
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]),
  ) as Pick<T, K>;
}
