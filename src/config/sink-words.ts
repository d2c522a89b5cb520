/** `alerts.sinks:` who is told: an address, or a command. */
import { type BuildContext, buildDraft } from './build-run.ts';
import { commandWords } from './command-words.ts';
import type { Place } from './located.ts';
import { SINK_TYPES, type SinkPlan } from './plan-alerts.ts';
import type { PlanLine } from './plan-line.ts';
import type { TaskPlan } from './plan-runs.ts';
import { duration, oneOf } from './scalars.ts';
import type { ServiceStanza } from './service-words.ts';
import { parsed, type Shape, text } from './shape.ts';
import { placeOfWord, type Stanza, stanza } from './words.ts';
import { formatWritten } from './written.ts';

const address: Shape<string> = parsed(
  'an address such as https://hooks.example.com/alerts',
  (written) => (/^https?:$/.test(URL.parse(written)?.protocol ?? '') ? written : undefined),
  { type: 'string', pattern: '^https?://|\\$|^$' },
  (_, written) => (/^[\w.-]+(:\d+)?(\/|$)/.test(written) ? `write https://${written}` : undefined),
);

export const severity = oneOf('warning', 'critical');

const sinkWords = {
  type: {
    shape: oneOf(...SINK_TYPES),
    doc: 'webhook: our own JSON, signed. alertmanager: the alerts of its API v2. slack: an incoming webhook. sentry: the DSN of a project; crashes and what is critical. heartbeat: an address that is asked while all is well, and whose silence is the alert. exec: a command that gets the JSON of a webhook on standard input.',
  },
  url: {
    shape: address,
    doc: 'Where messages go, a secret: better from a variable. Empty: the sink is off. A command needs none.',
  },
  secret: {
    shape: text,
    doc: 'What a webhook is signed with: X-Bulkhead-Signature is sha256= and the HMAC of the body, in hex.',
  },
  min_severity: {
    shape: severity,
    doc: 'Nothing below it is told here. Default: warning; of sentry critical.',
  },
  after: {
    shape: oneOf('well', 'backup'),
    doc: 'Of a heartbeat. well: every interval in which nothing critical fires. backup: each time a backup went well.',
    default: 'well',
  },
  interval: { shape: duration, doc: 'Of a heartbeat that tells that all is well.', default: '1m' },
  ...commandWords,
  timeout: {
    shape: duration,
    doc: 'How long the command may take over one message; then it is killed, and was not told.',
    default: '30s',
  },
} as const;

export type SinkStanza = Stanza<typeof sinkWords>;

export const sink = stanza(sinkWords, {
  required: ['type'],
  aliases: {
    webhook_url: '`url`',
    dsn: '`url`',
    kind: '`type`',
    severity: '`min_severity`',
    hmac: '`secret`',
    exec: '`type: exec` with `command`',
    script: '`type: exec` with `command`',
    cmd: '`command`',
    env: '`environment`',
    cwd: '`working_dir`',
  },
});

/** A shorter secret could be guessed from one message. */
const SHORTEST_SECRET = 16;
const SHORTEST_INTERVAL = 10_000;

/** As long as a script of a few requests takes. ms */
const USUAL_TIMEOUT = 30_000;
const OF_COMMANDS = [...Object.keys(commandWords), 'timeout'];
const OF_ADDRESSES = ['url', 'secret', 'after', 'interval'];

/** Undefined where it is off, or its words were refused. */
export function buildSink(
  name: string,
  read: SinkStanza,
  key: Place,
  context: BuildContext,
): SinkPlan | undefined {
  const { type, secret } = read;
  if (type === undefined) return undefined;
  refuseIdle(name, read, type === 'exec' ? OF_ADDRESSES : OF_COMMANDS, context);
  const to =
    type === 'exec' ? buildCommand(name, read, key, context) : buildAddress(name, read, type, context);
  if (to === undefined) return undefined;
  return {
    name,
    type,
    ...to,
    secret,
    minSeverity: read.min_severity ?? (type === 'sentry' ? 'critical' : 'warning'),
    after: read.after ?? 'well',
    interval: read.interval ?? 60_000,
  };
}

function refuseIdle(
  name: string,
  { at, type }: SinkStanza,
  words: readonly string[],
  { problems }: BuildContext,
): void {
  for (const word of words) {
    if (at.kind !== 'map' || !at.entries.has(word)) continue;
    problems.error(
      placeOfWord(at, word),
      'not-of-a-sink',
      `alerts.sinks.${name} is of type ${type}: ${word} means nothing`,
      { suggestion: OF_COMMANDS.includes(word) ? 'write type: exec, or drop it' : 'drop it' },
    );
  }
}

function buildCommand(
  name: string,
  read: SinkStanza,
  key: Place,
  context: BuildContext,
): Pick<SinkPlan, 'url' | 'run'> | undefined {
  const words = Object.entries(read).filter(([word]) => Object.hasOwn(commandWords, word));
  const stanza: ServiceStanza = {
    at: read.at,
    type: 'task',
    ...(Object.fromEntries(words) as Pick<SinkStanza, keyof typeof commandWords>),
    start_timeout: read.timeout || USUAL_TIMEOUT,
  };
  // Its lines are kept under a name that tells whose they are.
  const draft = buildDraft(`alert-${name}`, stanza, key, context, `alerts.sinks.${name}`);
  if (draft?.run.kind !== 'task') return undefined;
  return { url: '', run: { ...draft.run, critical: false } };
}

function buildAddress(
  name: string,
  read: SinkStanza,
  type: SinkPlan['type'],
  { problems }: BuildContext,
): Pick<SinkPlan, 'url' | 'run'> | undefined {
  const { url, secret } = read;
  if (url === undefined) {
    if (read.at.kind === 'map' && !read.at.entries.has('url'))
      problems.error(read.at.place, 'missing-word', `alerts.sinks.${name} needs "url"`, {
        suggestion: 'add url: …',
      });
    return undefined;
  }
  if (secret !== undefined && secret.length < SHORTEST_SECRET) {
    problems.error(
      placeOfWord(read.at, 'secret'),
      'weak-secret',
      `alerts.sinks.${name}.secret must have at least ${SHORTEST_SECRET} characters`,
      { suggestion: 'make one with: openssl rand -base64 32' },
    );
  }
  if (secret !== undefined && type !== 'webhook') {
    problems.warn(
      placeOfWord(read.at, 'secret'),
      'idle-word',
      `"secret" in alerts.sinks.${name} has no effect: only a webhook is signed`,
    );
  }
  if (type === 'sentry' && !/^\/(.*\/)?\d+$/.test(URL.parse(url)?.pathname ?? '')) {
    problems.error(
      placeOfWord(read.at, 'url'),
      'wrong-value',
      `alerts.sinks.${name}.url must be a DSN such as https://KEY@sentry.example.com/1`,
    );
  }
  if (read.interval !== undefined && read.interval < SHORTEST_INTERVAL) {
    problems.error(
      placeOfWord(read.at, 'interval'),
      'wrong-value',
      `alerts.sinks.${name}.interval must be at least ${formatWritten(SHORTEST_INTERVAL)}`,
    );
  }
  return { url };
}

/** @param mask what stands for a secret */
export function sinkLines(
  { name, type, secret, minSeverity, after, interval, run }: SinkPlan,
  mask: string,
  linesOf: (run: TaskPlan) => readonly PlanLine[],
): [string, string | undefined][] {
  const isHeartbeat = type === 'heartbeat';
  const lines: [string, string | undefined][] = [
    ['type', type],
    ['url', run === undefined ? mask : undefined],
    ['secret', secret === undefined ? undefined : mask],
    ['min_severity', isHeartbeat ? undefined : minSeverity],
    ['after', isHeartbeat ? after : undefined],
    ['interval', isHeartbeat && after === 'well' ? formatWritten(interval) : undefined],
    ...(run ? linesOf(run) : [])
      .filter(({ path }) => !['type', 'critical', 'retries', 'stop'].includes(path))
      .map(({ path, value }): [string, string] => [path === 'start_timeout' ? 'timeout' : path, value]),
  ];
  return lines.map(([path, value]) => [`alerts.sinks.${name}.${path}`, value]);
}
