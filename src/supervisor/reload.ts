/** From an edited plan to the least that has to be done; a plan with a problem changes nothing. */
import { Failure } from '../base/errors.ts';
import { type Change, diffPlans } from '../config/diff-plans.ts';
import { formatProblems } from '../config/format-problems.ts';
import type { Plan } from '../config/plan.ts';
import { type PlanReading, type PlanRequest, readPlan } from '../config/read-plan.ts';
import type { ReloadChange } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { changesBetween } from './services/reload.ts';

export interface Reload {
  readonly reading: Extract<PlanReading, { readonly problems?: undefined }>;
  readonly changes: readonly ReloadChange[];
}

/**
 * Reads the plan as at boot and says what differs.
 * @throws Failure with every problem of the new plan, or naming the settings only a new boot can change
 */
export function planReload(
  current: Plan,
  request: PlanRequest,
  reading: PlanReading = readPlan(request),
): Reload {
  if (reading.plan === undefined) {
    throw new Failure(
      `cannot reload: the plan has problems, nothing was changed\n${formatProblems(reading.problems, { color: false })}`,
      {
        code: 'invalid-configuration',
        remedy: 'mend what is marked, then reload again',
        exitCode: CommandExit.invalidConfiguration,
      },
    );
  }
  const difference = diffPlans(current, reading.plan);
  refuseFixed(difference.settings.filter(({ path }) => !isOfDatabase(path)));
  const actions = new Map(
    changesBetween(current.runs, reading.plan.runs).map(({ service, action }) => [service, action]),
  );
  const changes = difference.runs.map(({ name, kind, changes }): ReloadChange => {
    if (kind === 'added') return { service: name, action: 'start', reason: 'new in the plan' };
    if (kind === 'removed') return { service: name, action: 'stop', reason: 'no longer in the plan' };
    return { service: name, action: actions.get(name) ?? 'restart', reason: listPaths(changes) };
  });
  const settings = difference.settings.filter(({ path }) => path.startsWith('database.settings.'));
  if (settings.length > 0 && !changes.some(({ service }) => service === 'database')) {
    changes.unshift({ service: 'database', action: 'restart', reason: listPaths(settings) });
  }
  return { reading, changes };
}

/** Settings of the server are read at its start; where a first dump comes from no longer matters. */
function isOfDatabase(path: string): boolean {
  return /^database\.(settings\.|sample$|import\.|init$)/.test(path);
}

function refuseFixed(changes: readonly Change[]): void {
  if (changes.length === 0) return;
  throw new Failure(`cannot reload: ${listPaths(changes)} cannot change while running; nothing was changed`, {
    code: 'fixed-setting',
    remedy: 'restart the container, or take that change back',
    exitCode: CommandExit.refused,
  });
}

function listPaths(changes: readonly Change[]): string {
  return changes.map(({ path }) => path).join(', ');
}
