/** The stanza of a service or task: Compose's words with Compose's meanings, and a few of ours. */
import { argv, commandWords } from './command-words.ts';
import { confineWords } from './confine-words.ts';
import { deploy } from './deploy-words.ts';
import { serviceForeign } from './foreign-words.ts';
import { healthcheck } from './healthcheck-words.ts';
import { asList, dependencyMap } from './list-forms.ts';
import type { RestartPlan } from './plan-runs.ts';
import { ready } from './ready-words.ts';
import { duration, flag, integer, oneOf, signal, size } from './scalars.ts';
import { listOf, mapOf, parsed, type Shape, text, wrong } from './shape.ts';
import { type Stanza, stanza } from './words.ts';

/** What Compose allows as the name of a service. */
export const SERVICE_NAME = {
  pattern: /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/,
  wanted: 'letters, digits, . _ and -, starting with a letter or digit',
};

const dependency = stanza(
  {
    condition: {
      shape: oneOf('service_started', 'service_healthy', 'service_completed_successfully'),
      doc: 'What must be true of it before this one starts.',
      default: 'service_started',
    },
    required: {
      shape: flag,
      doc: 'false: where it is missing, off or failed, this one starts all the same.',
      default: true,
    },
  },
  { idle: { restart: 'dependents keep running while a dependency restarts' } },
);

const dependencies = mapOf(dependency);

const dependsOn: typeof dependencies = {
  read(value, where, reading) {
    if (value.kind === 'scalar' && value.text !== '')
      return wrong(value, where, 'a list or a map of services', reading, `write [${String(value.text)}]`);
    return dependencies.read(value.kind === 'list' ? dependencyMap(value) : value, where, reading);
  },
  schema: { anyOf: [dependencies.schema, { type: 'array', items: { type: 'string' } }] },
};

interface RestartWord {
  readonly policy: RestartPlan['policy'];
  /** Of `on-failure:n`. */
  readonly limit: number | undefined;
}

const restart: Shape<RestartWord> = parsed(
  'no, always, on-failure, on-failure:COUNT or unless-stopped',
  (word) => {
    if (word === 'no') return { policy: 'no', limit: undefined };
    // Stopped by a human means stopped in both: a stop outlives no boot here, so they are one.
    if (word === 'always' || word === 'unless-stopped') return { policy: 'always', limit: undefined };
    const match = /^on-failure(?::(\d{1,6}))?$/.exec(word);
    if (!match) return undefined;
    return { policy: 'on-failure', limit: match[1] === undefined ? undefined : Number(match[1]) };
  },
  {
    anyOf: [
      { enum: ['no', 'always', 'on-failure', 'unless-stopped'] },
      { type: 'string', pattern: '^on-failure:\\d+$|\\$' },
    ],
  },
  (_, word) => {
    const meant: Record<string, string> = {
      false: '"no"',
      never: '"no"',
      true: 'always',
      on_failure: 'on-failure',
      onfailure: 'on-failure',
      unexpected: 'on-failure',
      allways: 'always',
    };
    return meant[word.toLowerCase()] === undefined ? undefined : `write ${meant[word.toLowerCase()]}`;
  },
);

const exitCode = listOf(integer(0, 255), 'a list of exit codes');

/** One code or a list of them. */
const exitCodes: typeof exitCode = {
  read: (value, where, reading) => exitCode.read(asList(value), where, reading),
  schema: { anyOf: [integer(0, 255).schema, exitCode.schema] },
};

const rung = stanza(
  {
    signal: { shape: signal, doc: 'The signal of this rung.' },
    wait: { shape: duration, doc: 'How long to wait for the end before the next rung.', default: '10s' },
  },
  { required: ['signal'] },
);

const backoffWords = {
  initial: { shape: duration, doc: 'The first wait; each further one is twice as long.', default: '500ms' },
  max: { shape: duration, doc: 'The longest wait.', default: '30s' },
  stable_after: { shape: duration, doc: 'Up for this long, earlier failures are forgotten.', default: '10s' },
  limit: {
    shape: integer(0, 10_000),
    doc: 'More failures than this inside the window is giving up; 0 is never.',
    default: 5,
  },
  window: { shape: duration, doc: 'The time in which failures are counted.', default: '10m' },
} as const;

const serviceWords = {
  ...commandWords,
  entrypoint: { shape: argv, doc: 'Stands before command, as in Compose.' },
  type: {
    shape: oneOf('service', 'task'),
    doc: 'A service runs until stopped; a task runs once per boot and must succeed.',
    default: 'service',
  },
  depends_on: {
    shape: dependsOn,
    doc: 'Starts after these. database: service_healthy means imported and migrated.',
    examples: [{ database: { condition: 'service_healthy' } }, ['redis']],
  },
  healthcheck: {
    shape: healthcheck,
    doc: 'The question whose answer makes it healthy.',
    examples: [{ http: 'http://127.0.0.1:3000/', interval: '10s' }],
  },
  ready: {
    shape: ready,
    doc: 'How it says itself that it is ready; without it, the first good healthcheck says so, or the start itself.',
    examples: [{ fd: 3 }, { log: 'listening on' }, 'ipc'],
  },
  on_unhealthy: {
    shape: oneOf('restart', 'exit', 'ignore'),
    doc: 'What follows when the healthcheck says no: a restart, the end of the container, nothing.',
    default: 'restart',
  },
  watchdog: {
    shape: duration,
    doc: 'It says WATCHDOG=1 (sd_notify) at least so often once it is ready; silence is unhealthy. Half of it is a good rhythm.',
    examples: ['30s'],
  },
  restart: {
    shape: restart,
    doc: "When it is started again after its end. on-failure:COUNT gives up after so many retries in a row. Compose's default is no; ours is always.",
    default: 'always',
  },
  backoff: { shape: stanza(backoffWords), doc: 'How restarts slow down, and when Bulkhead gives up.' },
  success_exit_codes: {
    shape: exitCodes,
    doc: 'Exit codes that are as good as 0 when it ends by itself; a death by signal n counts as 128 + n.',
    examples: [[143]],
  },
  fatal_exit_codes: {
    shape: exitCodes,
    doc: 'Exit codes after which no retry helps: it has failed at once, for good.',
    examples: [[78]],
  },
  retries: {
    shape: integer(0, 1000),
    doc: 'Of a task: how often it is tried again before it has failed.',
    default: 0,
  },
  critical: {
    shape: flag,
    doc: 'true: when it fails for good, the container ends. Default: true for the database, its tasks and app.',
  },
  start_timeout: {
    shape: duration,
    doc: 'How long a service may take to be ready, or a task to end. Default: no limit.',
  },
  stop_signal: { shape: signal, doc: 'The first signal of a stop.', default: 'SIGTERM' },
  stop_grace_period: {
    shape: duration,
    doc: 'How long it may take to stop before SIGKILL, within BULKHEAD_STOP_TIMEOUT.',
    default: '10s',
  },
  stop: {
    shape: listOf(rung),
    doc: 'A ladder of signals and waits instead of stop_signal; SIGKILL is always the last.',
    examples: [
      [
        { signal: 'SIGINT', wait: '30s' },
        { signal: 'SIGQUIT', wait: '5s' },
      ],
    ],
  },
  deploy: { shape: deploy, doc: 'How many of it run, and what each may use.' },
  port: {
    shape: integer(1, 65_535),
    doc: 'Where it listens: PORT in its environment. Replicas count up from it; ${BULKHEAD_INSTANCE_PORT} names it in command and healthcheck.',
    examples: [3000],
  },
  memory_restart: {
    shape: size,
    doc: 'When it and its children together use more memory of their own than this, swap included, it is restarted: by its stop ladder, and not counted as a failure.',
    examples: ['512m'],
  },
  nice: {
    shape: integer(-20, 19),
    doc: 'Scheduling priority: 19 is the most patient. Where the container may not give a negative one (--cap-add SYS_NICE), it is not started.',
  },
  oom_score_adj: {
    shape: integer(-1000, 1000),
    doc: 'Whom the kernel kills first when memory ends: higher goes first. Where the container may not go below its own (--cap-add SYS_RESOURCE), it is not started. Default: 100 above that of Bulkhead for the database, 200 for the others, as far as that is allowed.',
  },
  ...confineWords,
  profiles: {
    shape: profiles(),
    doc: 'Starts only where the tier is one of these, or BULKHEAD_ENABLE names the service.',
  },
} as const;

export type ServiceStanza = Stanza<typeof serviceWords>;

export const service = stanza(serviceWords, serviceForeign);

function profiles(): Shape<readonly string[]> {
  const names = listOf(text);
  return { read: (value, where, reading) => names.read(asList(value), where, reading), schema: names.schema };
}
