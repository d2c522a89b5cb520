import type { Plan } from './plan.ts';
import type { PlanLine } from './plan-line.ts';
import { runLines, settingLines } from './plan-lines.ts';
import type { RunPlan } from './plan-runs.ts';

export interface Change {
  /** `restart`, `environment.PORT`; of settings the whole path. */
  readonly path: string;
  /** undefined: not there. Secrets are masked, so a changed one may read the same. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface PlanDifference {
  readonly settings: readonly Change[];
  /** In the order of the new plan; removed ones last. Runs without a change are left out. */
  readonly runs: readonly {
    readonly name: string;
    readonly kind: 'added' | 'removed' | 'changed';
    readonly changes: readonly Change[];
  }[];
}

/** What a reload, or another tier, would change. Two plans are the same exactly when nothing is listed. */
export function diffPlans(before: Plan, after: Plan): PlanDifference {
  const old = new Map(before.runs.map((run) => [run.name, run]));
  const runs: PlanDifference['runs'][number][] = [];
  for (const run of after.runs) {
    const known = old.get(run.name);
    old.delete(run.name);
    if (!known) runs.push({ name: run.name, kind: 'added', changes: [] });
    else if (!sameRun(known, run)) {
      runs.push({ name: run.name, kind: 'changed', changes: changesOfRun(known, run) });
    }
  }
  for (const name of old.keys()) runs.push({ name, kind: 'removed', changes: [] });
  return { settings: settingsChanges(before, after), runs };
}

/** For people: `+ added`, `- removed`, `~ changed` with what changed below. */
export function showDifference(difference: PlanDifference, { color }: { color: boolean }): string {
  const paint = (code: string, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const describe = ({ path, before, after }: Change): string =>
    before === after
      ? `${path}: changed (not shown)`
      : `${path}: ${before ?? '(none)'} → ${after ?? '(none)'}`;
  const lines = difference.settings.map((change) => `${paint('33', '~')} ${describe(change)}`);
  for (const { name, kind, changes } of difference.runs) {
    const mark =
      kind === 'added' ? paint('32', '+') : kind === 'removed' ? paint('31', '-') : paint('33', '~');
    lines.push(`${mark} ${name}`, ...changes.map((change) => `    ${describe(change)}`));
  }
  return lines.length === 0 ? 'no difference\n' : `${lines.join('\n')}\n`;
}

function settingsChanges(before: Plan, after: Plan): Change[] {
  const changes = changesOfLines(settingLines(before), settingLines(after));
  for (const [path, a, b] of [
    ['token', before.token, after.token],
    ['database.password', before.database?.password, after.database?.password],
    [
      'backups.offsite.access_key_id',
      before.backups?.offsite?.accessKeyId,
      after.backups?.offsite?.accessKeyId,
    ],
    [
      'backups.offsite.secret_access_key',
      before.backups?.offsite?.secretAccessKey,
      after.backups?.offsite?.secretAccessKey,
    ],
    ['queue.redis_url', before.jobs?.redisUrl, after.jobs?.redisUrl],
    ...hiddenValues(before, after),
  ] as const) {
    if (a !== b && !changes.some((change) => change.path === path)) {
      changes.push({ path, before: '********', after: '********' });
    }
  }
  return changes;
}

/** Variables of jobs, schedules and sinks, and tokens of the API, whose lines read the same where they are secret. */
function hiddenValues(before: Plan, after: Plan): [string, string, string][] {
  const known = new Map([...environments(before), ...tokens(before)]);
  return [...environments(after), ...tokens(after)].flatMap(([path, value]) => {
    const old = known.get(path);
    return old === undefined ? [] : [[path, old, value] as [string, string, string]];
  });
}

function tokens({ api }: Plan): [string, string][] {
  return (api?.tokens ?? []).map(({ name, token }) => [`api.tokens.${name}.token`, token]);
}

function environments(plan: Plan): Map<string, string> {
  const found = [
    ...plan.attempts.map(({ name, environment }) => ({ at: `jobs.${name}`, environment })),
    ...plan.schedules.map(({ name, run }) => ({
      at: `schedules.${name}`,
      environment: run?.environment ?? {},
    })),
    ...(plan.alerts?.sinks ?? []).map(({ name, run }) => ({
      at: `alerts.sinks.${name}`,
      environment: run?.environment ?? {},
    })),
  ];
  return new Map(
    found.flatMap(({ at, environment }) =>
      Object.entries(environment).map(([name, text]): [string, string] => [
        `${at}.environment.${name}`,
        JSON.stringify(text),
      ]),
    ),
  );
}

function changesOfRun(before: RunPlan, after: RunPlan): Change[] {
  const changes = changesOfLines(runLines(before), runLines(after));
  const names = new Set([...Object.keys(before.environment), ...Object.keys(after.environment)]);
  for (const name of names) {
    const path = `environment.${name}`;
    const same = sameValue(before.environment[name], after.environment[name]);
    if (!same && !changes.some((change) => change.path === path)) {
      changes.push({ path, before: '********', after: '********' });
    }
  }
  return changes;
}

function changesOfLines(before: readonly PlanLine[], after: readonly PlanLine[]): Change[] {
  const a = group(before);
  const b = group(after);
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((path) => a.get(path) !== b.get(path))
    .map((path) => ({ path, before: a.get(path), after: b.get(path) }));
}

/** Words that may stand several times, such as env_file, are one value. */
function group(lines: readonly PlanLine[]): Map<string, string> {
  const grouped = new Map<string, string>();
  for (const { path, value } of lines) {
    const known = grouped.get(path);
    grouped.set(path, known === undefined ? value : `${known}, ${value}`);
  }
  return grouped;
}

function sameRun(a: RunPlan, b: RunPlan): boolean {
  return sameValue(a, b);
}

/** Plans are plain data apart from the pattern of `ready.log`. */
function sameValue(a: unknown, b: unknown): boolean {
  const plain = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => {
      if (part instanceof RegExp) return part.source;
      if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
      return Object.fromEntries(Object.entries(part).sort(([x], [y]) => (x < y ? -1 : 1)));
    }) ?? '';
  return plain(a) === plain(b);
}
