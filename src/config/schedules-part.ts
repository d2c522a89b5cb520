/** All of `schedules:`, with what switches and jobs mean for them. */
import type { BuildContext } from './build-run.ts';
import { DATABASE_RUNS } from './database-runs.ts';
import type { DatabasePlan } from './plan.ts';
import type { JobsPlan } from './plan-jobs.ts';
import type { SchedulePlan } from './plan-schedules.ts';
import type { PlanStanza } from './plan-words.ts';
import { buildSchedule } from './schedule-words.ts';
import { switchedOff } from './switches.ts';
import { keyPlaceAt, type MapValue } from './tree.ts';

export interface ScheduleSurroundings {
  readonly jobs: JobsPlan | undefined;
  readonly database: DatabasePlan | undefined;
  /** Runs that are off, and why. */
  readonly off: ReadonlyMap<string, string>;
}

export function buildSchedules(
  read: PlanStanza,
  tree: MapValue,
  { jobs, database, off }: ScheduleSurroundings,
  context: BuildContext,
): SchedulePlan[] {
  const noCluster = whyNoCluster(database, off);
  const types = jobs?.types.map(({ name }) => name) ?? [];
  // Those that are off or wrong as well: what is wrong there is told there.
  const declared = [...(read.jobs?.keys() ?? [])].map((name) => ({
    name,
    at: keyPlaceAt(tree, 'jobs', name),
    off: read.jobs?.get(name)?.enabled === false,
  }));
  return [...(read.schedules ?? [])].flatMap(([name, stanza]) => {
    const key = keyPlaceAt(tree, 'schedules', name);
    const isRun = read.services?.has(name) || (read.database && DATABASE_RUNS.some((run) => run === name));
    const isJob = stanza.job === undefined && types.includes(name);
    if (isRun || isJob) {
      // They share logs and events by name.
      const other = isRun ? 'service' : 'job';
      context.problems.error(key, 'reserved-name', `a schedule cannot be called "${name}": a ${other} is`, {
        suggestion: 'choose another name',
      });
      return [];
    }
    const plan = buildSchedule(name, stanza, key, declared, context);
    if (plan === undefined) return [];
    const type = declared.find((job) => job.name === plan.job?.type);
    const why =
      plan.off ??
      (type?.off ? `jobs.${type.name}.enabled is false` : undefined) ??
      switchedOff(name, context.variables) ??
      (stanza.requires?.includes('cluster') ? noCluster : undefined) ??
      whyElsewhere(plan, off);
    return [{ ...plan, off: why }];
  });
}

function whyNoCluster(
  database: DatabasePlan | undefined,
  off: ReadonlyMap<string, string>,
): string | undefined {
  if (database?.external) return 'the database is elsewhere: DATABASE_URL';
  if (database === undefined) return 'the plan has no database';
  return off.has('database') ? `the database is off: ${off.get('database')}` : undefined;
}

/** A container that runs only a part of the product leaves its schedules to the one that has the database. */
function whyElsewhere(plan: SchedulePlan, off: ReadonlyMap<string, string>): string | undefined {
  if (plan.job !== undefined) return off.has('worker') ? `worker is off: ${off.get('worker')}` : undefined;
  const why = off.get('database');
  return why?.includes('BULKHEAD_ONLY') ? `the database is elsewhere: ${why}` : undefined;
}
