/** `healthcheck`: Compose's words, and three questions Bulkhead asks by itself, without starting a process. */

import type { CheckPlan, ProbePlan } from './plan-runs.ts';
import type { Text } from './plan-text.ts';
import { duration, flag, integer } from './scalars.ts';
import { lateText, listOf, parsed, type Reading, type Shape, VARIABLE, wrong } from './shape.ts';
import type { Value } from './tree.ts';
import { placeOfWord, type Stanza, stanza } from './words.ts';

/** `null`: the test says NONE. */
type Test = { readonly argv: readonly Text[] | null };

const test: Shape<Test> = {
  read(value, where, reading) {
    if (value.kind === 'map') return wrong(value, where, 'a text or a list', reading);
    if (value.kind === 'scalar') {
      return value.text === '' ? undefined : { argv: ['/bin/sh', '-c', value.text] };
    }
    const [form, ...rest] = listOf(lateText).read(value, where, reading) ?? [];
    if (form === 'NONE') return { argv: null };
    if (form === 'CMD' && rest.length > 0) return { argv: rest };
    if (form === 'CMD-SHELL' && rest.length === 1) return { argv: ['/bin/sh', '-c', ...rest] };
    return reading.problems.error(
      value.place,
      'wrong-value',
      form === 'CMD-SHELL' || form === 'CMD'
        ? `${where} has nothing to run after ${form}`
        : `${where} must start with CMD, CMD-SHELL or NONE`,
      { suggestion: 'write ["CMD", "program", "argument"] or ["CMD-SHELL", "a line for the shell"]' },
    );
  },
  schema: {
    anyOf: [
      { type: 'string' },
      {
        type: 'array',
        items: lateText.schema,
        contains: { enum: ['CMD', 'CMD-SHELL', 'NONE'] },
      },
    ],
  },
};

const url: Shape<Text> = {
  read(value, where, reading) {
    const text = lateText.read(value, where, reading);
    if (typeof text !== 'string') return text;
    if (text === '') return undefined;
    return /^https?:\/\//.test(text) && URL.canParse(text)
      ? text
      : wrong(
          value,
          where,
          'a URL that starts with http://',
          reading,
          text.startsWith('/') ? `write http://127.0.0.1:PORT${text}` : undefined,
        );
  },
  schema: { type: 'string', pattern: '^https?://|\\$' },
};

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const endpoint: Shape<Endpoint> = parsed(
  'a port, host:port or /socket/folder:port',
  (text) => {
    const match = /^(?:(.*):)?(\d{1,5})$/.exec(text);
    const port = Number(match?.[2]);
    if (!match || port < 1 || port > 65_535) return undefined;
    return { host: match[1]?.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1', port };
  },
  {
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 65_535 },
      { type: 'string', pattern: '^(.*:)?\\d{1,5}$|\\$' },
      VARIABLE,
    ],
  },
);

export const healthcheckWords = {
  test: {
    shape: test,
    doc: 'A command that exits 0 when all is well: ["CMD", …], ["CMD-SHELL", "…"], a line for the shell, or ["NONE"].',
    examples: [['CMD', 'pg_isready'], 'curl -f http://localhost/'],
  },
  http: {
    shape: url,
    doc: 'A URL asked by GET; 2xx and 3xx are well. No process is started.',
    examples: ['http://127.0.0.1:${PORT:-3000}/api/health'],
  },
  tcp: {
    shape: endpoint,
    doc: 'A port, or host:port, that must accept a connection.',
    examples: [6379, '127.0.0.1:6379'],
  },
  postgres: {
    shape: endpoint,
    doc: 'host:port, or /socket/folder:port, of a PostgreSQL that must accept connections.',
    examples: ['127.0.0.1:5432'],
  },
  interval: { shape: duration, doc: 'Time between checks.', default: '30s' },
  timeout: { shape: duration, doc: 'How long one check may take.', default: '30s' },
  retries: { shape: integer(1, 1000), doc: 'Failures in a row that make it unhealthy.', default: 3 },
  start_period: {
    shape: duration,
    doc: 'Failures within this time after the start do not count.',
    default: '0s',
  },
  start_interval: {
    shape: duration,
    doc: 'Time between checks until the first success; 250ms where Bulkhead asks by itself.',
    default: '5s',
  },
  disable: {
    shape: flag,
    doc: 'true: no check, also not the one of the file this one extends.',
    default: false,
  },
} as const;

export const healthcheck = stanza(healthcheckWords, {
  aliases: {
    url: '`http`',
    httpGet: '`http`',
    cmd: '`test`',
    command: '`test`',
    exec: '`test`',
    period: '`interval`',
    threshold: '`retries`',
    failureThreshold: '`retries`',
    initialDelaySeconds: '`start_period`',
  },
});

/** The check of a stanza; undefined where there is none, or where it was reported. */
export function buildCheck(
  read: Stanza<typeof healthcheckWords>,
  where: string,
  reading: Reading,
): CheckPlan | undefined {
  const { problems } = reading;
  if (read.disable === true || read.test?.argv === null) return undefined;
  const probes = probesOf(read);
  const [probe, second] = probes;
  if (!probe) {
    // A reported test is no missing test.
    const tried = ['test', 'http', 'tcp', 'postgres'].some(
      (name) => read.at.kind === 'map' && read.at.entries.has(name),
    );
    if (tried) return undefined;
    return problems.error(read.at.place, 'missing-word', `${where} asks nothing`, {
      suggestion: 'add http: http://127.0.0.1:PORT/path, tcp: PORT, or test: ["CMD", …]',
    });
  }
  if (second) {
    return problems.error(
      placeOfWord(read.at, second.word),
      'two-probes',
      `${where} asks two questions, ${probe.word} and ${second.word}`,
      {
        suggestion: 'keep one of them',
      },
    );
  }
  const interval = positive(read.interval ?? 30_000, 'interval', read.at, where, reading);
  const own = probe.plan.kind !== 'exec';
  const startInterval = positive(
    read.start_interval ?? (own ? 250 : 5000),
    'start_interval',
    read.at,
    where,
    reading,
  );
  return {
    probe: probe.plan,
    interval,
    timeout: positive(read.timeout ?? 30_000, 'timeout', read.at, where, reading),
    retries: read.retries ?? 3,
    startPeriod: read.start_period ?? 0,
    startInterval: read.start_interval === undefined ? Math.min(startInterval, interval) : startInterval,
  };
}

function probesOf(read: Stanza<typeof healthcheckWords>): { word: string; plan: ProbePlan }[] {
  const probes: { word: string; plan: ProbePlan }[] = [];
  if (read.test?.argv) probes.push({ word: 'test', plan: { kind: 'exec', argv: read.test.argv } });
  if (read.http !== undefined) probes.push({ word: 'http', plan: { kind: 'http', url: read.http } });
  if (read.tcp) probes.push({ word: 'tcp', plan: { kind: 'tcp', ...read.tcp } });
  if (read.postgres) probes.push({ word: 'postgres', plan: { kind: 'postgres', ...read.postgres } });
  return probes;
}

function positive(ms: number, name: string, at: Value, where: string, { problems }: Reading): number {
  if (ms > 0) return ms;
  problems.error(placeOfWord(at, name), 'wrong-value', `${where}.${name} must be longer than 0`);
  return 1;
}
