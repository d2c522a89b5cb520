/** From an edited plan to the least that has to be done; a plan with a problem changes nothing. */
import { Failure } from '../base/errors.ts';
import { type Change, diffPlans } from '../config/diff-plans.ts';
import { formatProblems } from '../config/format-problems.ts';
import type { Plan } from '../config/plan.ts';
import type { RunPlan } from '../config/plan-runs.ts';
import { type PlanReading, type PlanRequest, readPlan } from '../config/read-plan.ts';
import type { ReloadChange } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';

export interface Reload {
  readonly reading: Extract<PlanReading, { readonly problems?: undefined }>;
  readonly changes: readonly ReloadChange[];
  /** Its settings differ, which are no part of its run: whoever takes the runs over does not see it. */
  readonly restartDatabase: boolean;
}

/**
 * Reads the plan as at boot and says what differs.
 * @param changesTo what taking over the runs of the next plan does to those there are
 * @throws Failure with every problem of the new plan, or naming the settings only a new boot can change
 */
export function planReload(
  current: Plan,
  request: PlanRequest,
  changesTo: (runs: readonly RunPlan[]) => readonly ReloadChange[],
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
  const { settings, runs } = diffPlans(current, reading.plan);
  refuseFixed(
    settings.filter(({ path }) => !isOfDatabase(path) && !isOfBackups(path) && !isOfSchedules(path)),
  );
  const paths = new Map(runs.map(({ name, changes }) => [name, listPaths(changes)]));
  // The words of the plan where it has some for the change: people wrote those.
  const changes = changesTo(reading.plan.runs).map(({ service, action, reason }) => {
    return { service, action, reason: paths.get(service) || reason };
  });
  const ofServer = settings.filter(({ path }) => path.startsWith('database.settings.'));
  const restartDatabase =
    ofServer.length > 0 &&
    !changes.some(({ service, action }) => service === 'database' && action !== 'update');
  const ofSchedules = settings.filter(({ path }) => isOfSchedules(path));
  const ofBackups = settings.filter(({ path }) => isOfBackups(path));
  return {
    reading,
    changes: [
      ...(restartDatabase
        ? [{ service: 'database', action: 'restart', reason: listPaths(ofServer) } as const]
        : []),
      ...changes,
      ...(ofBackups.length > 0
        ? [{ service: 'backups', action: 'update', reason: listPaths(ofBackups) } as const]
        : []),
      ...(ofSchedules.length > 0
        ? [{ service: 'schedules', action: 'update', reason: listPaths(ofSchedules) } as const]
        : []),
    ],
    restartDatabase,
  };
}

/** Settings of the server are read at its start; where a first dump comes from no longer matters. */
function isOfDatabase(path: string): boolean {
  return /^database\.(settings\.|sample$|import\.|init$|migrate\.)/.test(path);
}

/** Read by every backup anew, but for what the server must be started with. */
function isOfBackups(path: string): boolean {
  return path.startsWith('backups.') && path !== 'backups.point_in_time';
}

/** Read anew at each time one is due. */
function isOfSchedules(path: string): boolean {
  return path.startsWith('schedules.');
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
