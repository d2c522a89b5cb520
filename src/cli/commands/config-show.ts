import { listPlan, showPlan } from '../../config/show-plan.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';
import { requirePlan } from '../plan-reading.ts';

export async function run(context: Context): Promise<number> {
  const { plan, provenance } = requirePlan(context);
  if (context.json) {
    context.sayJson({
      schemaVersion: SCHEMA_VERSION,
      name: plan.name,
      tier: plan.tier,
      values: listPlan(plan, provenance),
      disabled: plan.disabled,
    });
  }
  context.sayAsIs(showPlan(plan, provenance, { color: context.color }).trimEnd());
  return CommandExit.ok;
}
