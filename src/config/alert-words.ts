/** `alerts:` what is told when something is not well, and to whom. */

import { ALERT_RULES, type AlertRule, RULE_NAMES, type RuleName } from './alert-rules.ts';
import type { BuildContext } from './build-run.ts';
import type { AlertsPlan, RulePlan } from './plan-alerts.ts';
import type { PlanLine } from './plan-line.ts';
import type { TaskPlan } from './plan-runs.ts';
import type { SchedulePlan } from './plan-schedules.ts';
import { duration, flag, integer } from './scalars.ts';
import { SERVICE_NAME } from './service-words.ts';
import { mapOf, type Shape } from './shape.ts';
import { buildSink, severity, sink, sinkLines } from './sink-words.ts';
import { keyPlaceAt, type MapValue } from './tree.ts';
import { type Stanza, stanza } from './words.ts';
import { formatWritten } from './written.ts';

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

/** Undefined: nothing is judged. */
export function buildAlerts(
  product: string,
  read: AlertsStanza | undefined,
  tree: MapValue,
  schedules: readonly SchedulePlan[],
  context: BuildContext,
): AlertsPlan | undefined {
  if (read === undefined || read.enabled === false) return undefined;
  const given = (read.rules ?? {}) as Partial<Record<RuleName, ReadRule>>;
  const sinks = [...(read.sinks ?? [])].flatMap(
    ([name, one]) => buildSink(name, one, keyPlaceAt(tree, 'alerts', 'sinks', name), context) ?? [],
  );
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
    sinks,
    sinksOff: [...(read.sinks ?? [])].flatMap(([name]) =>
      sinks.some((one) => one.name === name) ? [] : [name],
    ),
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

function makesBackups({ work }: NonNullable<SchedulePlan['run']>): boolean {
  if (work.kind === 'program') return work.program === 'backup' || work.program === 'verify-backups';
  return work.argv.some(
    (word, index) => word === 'backup' && /^(run|verify)$/.test(String(work.argv[index + 1])),
  );
}

/**
 * @param mask what stands for a secret
 * @param linesOf the lines of a command
 */
export function alertsLines(
  plan: AlertsPlan | undefined,
  mask: string,
  linesOf: (run: TaskPlan) => readonly PlanLine[],
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
    ...plan.sinks.flatMap((one) => sinkLines(one, mask, linesOf)),
    ['alerts.backups', plan.backups.map(({ name }) => name).join(', ') || undefined],
  ];
}
