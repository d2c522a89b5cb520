/** `alerts:` what is told when something is not well, and to whom. */

import { ALERT_RULES, type AlertRule, RULE_NAMES, type RuleName } from './alert-rules.ts';
import { type AlertsPlan, type RulePlan, SINK_TYPES, type SinkPlan } from './plan-alerts.ts';
import type { SchedulePlan } from './plan-schedules.ts';
import type { Problems } from './problems.ts';
import { duration, flag, integer, oneOf } from './scalars.ts';
import { SERVICE_NAME } from './service-words.ts';
import { mapOf, parsed, type Shape, text } from './shape.ts';
import { placeOfWord, type Stanza, stanza } from './words.ts';
import { formatWritten } from './written.ts';

const address: Shape<string> = parsed(
  'an address such as https://hooks.example.com/alerts',
  (written) => (/^https?:$/.test(URL.parse(written)?.protocol ?? '') ? written : undefined),
  { type: 'string', pattern: '^https?://|\\$|^$' },
  (_, written) => (/^[\w.-]+(:\d+)?(\/|$)/.test(written) ? `write https://${written}` : undefined),
);

const severity = oneOf('warning', 'critical');

const ruleWords = (rule: AlertRule) =>
  ({
    enabled: { shape: flag, doc: 'false: it is never judged.', default: true },
    ...(rule.threshold === undefined
      ? {}
      : {
          threshold: {
            shape: integer(0, 1_000_000_000),
            doc: `${rule.least ? 'So many' : 'More than so many'} ${rule.unit}.`,
            default: rule.threshold,
          },
        }),
    for: {
      shape: duration,
      doc: 'How long it must be so before it is told.',
      default: formatWritten(rule.for),
    },
    keep: {
      shape: duration,
      doc: 'How long it must be well again before it is over.',
      default: rule.keep === 0 ? '0' : formatWritten(rule.keep),
    },
    severity: { shape: severity, doc: 'How bad it is.', default: rule.severity },
  }) as const;

interface ReadRule {
  readonly enabled?: boolean;
  readonly threshold?: number;
  readonly for?: number;
  readonly keep?: number;
  readonly severity?: RulePlan['severity'];
}

const rules = stanza(
  Object.fromEntries(
    RULE_NAMES.map((name) => {
      const rule: AlertRule = ALERT_RULES[name];
      const shape: Shape<ReadRule> = stanza(ruleWords(rule), {
        aliases: { limit: '`threshold`', value: '`threshold`', after: '`for`', disabled: '`enabled: false`' },
        ...(rule.threshold === undefined
          ? { refused: { threshold: 'this rule counts nothing: it is so or not' } }
          : {}),
      });
      return [name, { shape, doc: `${rule.what[0]?.toUpperCase()}${rule.what.slice(1)}.` }];
    }),
  ),
);

const sinkWords = {
  type: {
    shape: oneOf(...SINK_TYPES),
    doc: 'webhook: our own JSON, signed. alertmanager: the alerts of its API v2. slack: an incoming webhook. sentry: the DSN of a project; crashes and what is critical. heartbeat: an address that is asked while all is well, and whose silence is the alert.',
  },
  url: {
    shape: address,
    doc: 'Where messages go, a secret: better from a variable. Empty: the sink is off.',
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
} as const;

type SinkWords = typeof sinkWords;

const sink = stanza(sinkWords, {
  required: ['type', 'url'],
  aliases: {
    webhook_url: '`url`',
    dsn: '`url`',
    kind: '`type`',
    severity: '`min_severity`',
    hmac: '`secret`',
  },
  refused: {
    command: 'alerts start no programs; a webhook of a service of yours can do what a command would',
    exec: 'alerts start no programs; a webhook of a service of yours can do what a command would',
  },
});

const alertsWords = {
  enabled: { shape: flag, doc: 'false: nothing is judged and nothing is told.', default: true },
  repeat: { shape: duration, doc: 'After so long what still fires is told again.', default: '4h' },
  rules: { shape: rules, doc: 'What is judged, by name; all rules are on with their usual thresholds.' },
  sinks: {
    shape: mapOf(sink, { key: SERVICE_NAME }),
    doc: 'Who is told, by names of your choice.',
    examples: [{ ops: { type: 'webhook', url: '${ALERT_WEBHOOK_URL}', secret: '${ALERT_WEBHOOK_SECRET}' } }],
  },
} as const;

export type AlertsStanza = Stanza<typeof alertsWords>;

export const alerts = stanza(alertsWords, {
  aliases: {
    receivers: '`sinks`',
    notify: '`sinks`',
    channels: '`sinks`',
    repeat_interval: '`repeat`',
    thresholds: '`rules`',
    disabled: '`enabled: false`',
  },
});

/** A shorter secret could be guessed from one message. */
const SHORTEST_SECRET = 16;
const SHORTEST_INTERVAL = 10_000;

/** Undefined: nothing is judged. */
export function buildAlerts(
  product: string,
  read: AlertsStanza | undefined,
  schedules: readonly SchedulePlan[],
  problems: Problems,
): AlertsPlan | undefined {
  if (read === undefined || read.enabled === false) return undefined;
  const given = (read.rules ?? {}) as Partial<Record<RuleName, ReadRule>>;
  return {
    product,
    rules: RULE_NAMES.flatMap((name) => {
      const { enabled = true, threshold, for: lasting, keep, severity } = given[name] ?? {};
      const rule: AlertRule = ALERT_RULES[name];
      if (!enabled) return [];
      return {
        name,
        severity: severity ?? rule.severity,
        threshold: threshold ?? rule.threshold ?? 0,
        for: lasting ?? rule.for,
        keep: keep ?? rule.keep,
      };
    }),
    sinks: [...(read.sinks ?? [])].flatMap(([name, one]) => buildSink(name, one, problems) ?? []),
    repeat: read.repeat ?? 4 * 3_600_000,
    backups: schedules
      .filter(({ off, run }) => off === undefined && run !== undefined && makesBackups(run))
      .map(({ name, cron, every, timeZone }) => ({
        name,
        cron,
        ...(every === undefined ? {} : { every }),
        timeZone,
      })),
  };
}

function buildSink(name: string, read: Stanza<SinkWords>, problems: Problems): SinkPlan | undefined {
  const { type, url, secret } = read;
  if (type === undefined || url === undefined) return undefined;
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
  return {
    name,
    type,
    url,
    secret,
    minSeverity: read.min_severity ?? (type === 'sentry' ? 'critical' : 'warning'),
    after: read.after ?? 'well',
    interval: read.interval ?? 60_000,
  };
}

function makesBackups({ work }: NonNullable<SchedulePlan['run']>): boolean {
  if (work.kind === 'program') return work.program === 'backup' || work.program === 'verify-backups';
  return work.argv.some(
    (word, index) => word === 'backup' && /^(run|verify)$/.test(String(work.argv[index + 1])),
  );
}

/** @param mask what stands for a secret */
export function alertsLines(
  plan: AlertsPlan | undefined,
  mask: string,
): readonly [string, string | undefined][] {
  if (plan === undefined) return [];
  const off = RULE_NAMES.filter((name) => !plan.rules.some((rule) => rule.name === name));
  return [
    ['alerts.repeat', formatWritten(plan.repeat)],
    ...plan.rules.flatMap((rule): [string, string | undefined][] => {
      const at = `alerts.rules.${rule.name}`;
      const known: AlertRule = ALERT_RULES[rule.name];
      return [
        [`${at}.threshold`, known.threshold === undefined ? undefined : String(rule.threshold)],
        [`${at}.for`, formatWritten(rule.for)],
        [`${at}.keep`, formatWritten(rule.keep)],
        [`${at}.severity`, rule.severity],
      ];
    }),
    ...off.map((name): [string, string] => [`alerts.rules.${name}.enabled`, 'false']),
    ...plan.sinks.flatMap((one): [string, string | undefined][] => {
      const at = `alerts.sinks.${one.name}`;
      const isHeartbeat = one.type === 'heartbeat';
      return [
        [`${at}.type`, one.type],
        [`${at}.url`, mask],
        [`${at}.secret`, one.secret === undefined ? undefined : mask],
        [`${at}.min_severity`, isHeartbeat ? undefined : one.minSeverity],
        [`${at}.after`, isHeartbeat ? one.after : undefined],
        [`${at}.interval`, isHeartbeat && one.after === 'well' ? formatWritten(one.interval) : undefined],
      ];
    }),
    ['alerts.backups', plan.backups.map(({ name }) => name).join(', ') || undefined],
  ];
}
