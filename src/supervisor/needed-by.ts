import type { RunPlan } from '../config/plan-runs.ts';
import type { ServiceStatus } from '../protocol/status.ts';

/** Services that live and depend on this run: what a stop of it leaves without what they need. */
export function neededBy(
  name: string,
  runs: readonly RunPlan[],
  statuses: readonly ServiceStatus[],
): readonly string[] {
  const live = new Set(statuses.flatMap((each) => (each.pid === undefined ? [] : [each.name])));
  return runs.flatMap((run) => (name in run.dependsOn && live.has(run.name) ? [run.name] : []));
}
