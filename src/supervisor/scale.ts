/** From "so many of it" to replicas that start or stop, and nothing else. */
import { Failure } from '../base/errors.ts';
import type { Plan } from '../config/plan.ts';
import type { RunPlan } from '../config/plan-runs.ts';
import { type PlanRequest, readPlan } from '../config/read-plan.ts';
import type { ReloadChange } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { planReload, type Reload } from './reload.ts';

/**
 * Reads the plan with other numbers of replicas. Its files may have changed since they were read: what else they say
 * now is a reload, and nobody asked for one.
 * @param replicas of all services a person has scaled, not only of the one that is scaled now
 * @param changesTo what taking over the runs of the next plan does to those there are
 * @throws Failure where a service has no replicas, the plan would not hold together, or its files have changed
 */
export function planScale(
  current: Plan,
  request: PlanRequest,
  replicas: Readonly<Record<string, number>>,
  changesTo: (runs: readonly RunPlan[]) => readonly ReloadChange[],
): Reload {
  const reading = readPlan({ ...request, replicas });
  const unknown = reading.problems?.find(({ code }) => code === 'no-replicas');
  if (unknown !== undefined) {
    throw new Failure(`cannot scale: ${unknown.message}`, {
      code: unknown.code,
      remedy: unknown.suggestion ?? 'see the names: bulkhead status',
      exitCode: unknown.suggestion === undefined ? CommandExit.unknownName : CommandExit.refused,
    });
  }
  const next = planReload(current, request, changesTo, reading);
  const groups = Object.keys(replicas);
  const others = next.changes.filter(({ service, action, reason }) =>
    action === 'update'
      ? !reason.split(', ').every((path) => groups.some((name) => isReplica(path, `depends_on.${name}`)))
      : !groups.some((name) => isReplica(service, name)),
  );
  if (others.length > 0) {
    throw new Failure(
      `cannot scale: the plan has changed since it was read (${others.map(({ service }) => service).join(', ')})`,
      {
        code: 'plan-changed',
        remedy: 'reload first: bulkhead reload',
        exitCode: CommandExit.refused,
      },
    );
  }
  // Who depends on them only learns of it.
  return { ...next, changes: next.changes.filter(({ action }) => action !== 'update') };
}

function isReplica(name: string, group: string): boolean {
  return name.startsWith(`${group}-`) && /^\d+$/.test(name.slice(group.length + 1));
}
