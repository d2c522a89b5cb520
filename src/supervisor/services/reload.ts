/** What a new plan changes in the runs of the old one. Pure; the runner carries it out. */
import type { RunPlan } from '../../config/plan-runs.ts';

export interface RunChange {
  readonly service: string;
  /** `update`: taken over without touching the process. */
  readonly action: 'start' | 'stop' | 'restart' | 'update';
  /** Which settings differ: "environment.PORT, healthcheck.interval". */
  readonly reason: string;
}

/** Settings only the supervisor reads: a process need not be restarted for them. */
const OURS: ReadonlySet<string> = new Set([
  'dependsOn',
  'restart',
  'stop',
  'critical',
  'onUnhealthy',
  'startTimeout',
  'retries',
  'exitCodes',
  'replicaOf',
]);

/**
 * The changes from one plan to the next, in the order of the next, removed runs last. A task is never run again by a
 * reload: it runs once per boot, and restarting a migration or an import under way would do harm.
 */
export function changesBetween(now: readonly RunPlan[], next: readonly RunPlan[]): readonly RunChange[] {
  const old = new Map(now.map((run) => [run.name, run]));
  const names = new Set(next.map((run) => run.name));
  const changes: RunChange[] = [];
  for (const run of next) {
    const before = old.get(run.name);
    if (before === undefined) {
      changes.push({ service: run.name, action: 'start', reason: 'new in the plan' });
      continue;
    }
    const settings = differences(before, run);
    if (settings.length === 0) continue;
    const isOurs = settings.every((setting) => OURS.has(setting.split('.')[0] ?? ''));
    const action = isOurs || run.kind === 'task' ? 'update' : 'restart';
    changes.push({ service: run.name, action, reason: settings.join(', ') });
  }
  for (const run of now) {
    if (names.has(run.name)) continue;
    changes.push({ service: run.name, action: 'stop', reason: 'no longer in the plan' });
  }
  return changes;
}

/** The paths, at most two names deep, at which two values differ. */
function differences(before: object, after: object, prefix = ''): readonly string[] {
  const one = new Map<string, unknown>(Object.entries(before));
  const two = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...one.keys(), ...two.keys()])].flatMap((key) => {
    const [left, right] = [one.get(key), two.get(key)];
    if (isSame(left, right)) return [];
    if (prefix === '' && isRecord(left) && isRecord(right)) return differences(left, right, `${key}.`);
    return [`${prefix}${key}`];
  });
}

function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (left instanceof RegExp && right instanceof RegExp) return String(left) === String(right);
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  }
  return isRecord(left) && isRecord(right) && differences(left, right, '.').length === 0;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp);
}
