import { diffPlans, showDifference } from '../../config/diff-plans.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';
import { requirePlan } from '../plan-reading.ts';

export async function run(context: Context): Promise<number> {
  const [before = '', after = ''] = context.given.words;
  const difference = diffPlans(requirePlan(context, before).plan, requirePlan(context, after).plan);
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, before, after, ...difference });
  context.sayAsIs(showDifference(difference, { color: context.color }).trimEnd());
  return CommandExit.ok;
}
