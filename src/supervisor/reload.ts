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
  /** Runs whose settings differ, which are no part of them: whoever takes the runs over does not see it. */
  readonly restarts: readonly string[];
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
  refuseFixed(settings.filter(({ path }) => !CHANGEABLE.some((isOf) => isOf(path))));
  const paths = new Map(runs.map(({ name, changes }) => [name, listPaths(changes)]));
  // The words of the plan where it has some for the change: people wrote those.
  const changes = changesTo(reading.plan.runs).map(({ service, action, reason }) => {
    return { service, action, reason: paths.get(service) || reason };
  });
  const restarts = STARTED_WITH.flatMap(({ service, isOf }) => {
    const own = settings.filter(({ path }) => isOf(path));
    const isThere = reading.plan.runs.some(({ name }) => name === service);
    const known = changes.some((change) => change.service === service && change.action !== 'update');
    return own.length === 0 || !isThere || known
      ? []
      : [{ service, action: 'restart', reason: listPaths(own) } as const];
  });
  const ofSchedules = settings.filter(({ path }) => isOfSchedules(path));
  const ofBackups = settings.filter(({ path }) => isOfBackups(path));
  const ofLogs = settings.filter(({ path }) => isOfLogs(path));
  return {
    reading,
    changes: [
      ...restarts,
      ...changes.filter(({ service }) => !restarts.some((restart) => restart.service === service)),
      ...(ofBackups.length > 0
        ? [{ service: 'backups', action: 'update', reason: listPaths(ofBackups) } as const]
        : []),
      ...(ofLogs.length > 0
        ? [{ service: 'logs', action: 'update', reason: listPaths(ofLogs) } as const]
        : []),
      ...(ofSchedules.length > 0
        ? [{ service: 'schedules', action: 'update', reason: listPaths(ofSchedules) } as const]
        : []),
    ],
    restarts: restarts.map(({ service }) => service),
  };
}

/** What is read when a run starts, and so counts from its next start. */
const STARTED_WITH: readonly { readonly service: string; readonly isOf: (path: string) => boolean }[] = [
  {
    service: 'database',
    isOf: (path) => path.startsWith('database.settings.') || path === 'database.listen',
  },
  // What the worker knows of the types, and how attempts run, change together.
  { service: 'worker', isOf: isOfJobs },
  { service: 'api', isOf: (path) => isOfApi(path) || isOfJobs(path) },
];

function isOfJobs(path: string): boolean {
  return path.startsWith('jobs.') || path.startsWith('queue.');
}

function isOfApi(path: string): boolean {
  return /^(api|metrics|alerts)\./.test(path);
}

/** Settings of the server are read at its start; where a first dump comes from no longer matters. */
function isOfDatabase(path: string): boolean {
  return /^database\.(settings\.|listen$|sample$|import\.|init$|migrate\.)/.test(path);
}

/** Read by every backup anew, but for what the server must be started with. */
function isOfBackups(path: string): boolean {
  return path.startsWith('backups.') && path !== 'backups.point_in_time';
}

/** Read anew at each time one is due. */
/** Asked for at every look at the files; whether there are any is settled at boot. */
function isOfLogs(path: string): boolean {
  return path.startsWith('logs.') && path !== 'logs.files';
}

function isOfSchedules(path: string): boolean {
  return path.startsWith('schedules.');
}

const CHANGEABLE = [isOfDatabase, isOfBackups, isOfSchedules, isOfLogs, isOfJobs, isOfApi];

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
