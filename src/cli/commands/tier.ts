import { Failure } from '../../base/errors.ts';
import { TIERS } from '../../config/load-files.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { ProductStatus } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { readPlanHere, requirePlan } from '../plan-reading.ts';
import { MEASURED, renderTiers, viewTiers } from '../tier-view.ts';

/** Of the plans as `up` would read them here; one that cannot be read is left out, unless none can. */
export async function run(context: Context): Promise<number> {
  const running = await askRunning(context);
  const plans = TIERS.flatMap((tier) => readPlanHere(context, tier).plan ?? []);
  // All the problems of the one that would run.
  if (plans.length === 0) requirePlan(context);
  const chosen = running ?? context.given.value('tier') ?? (context.io.env.BULKHEAD_TIER || 'core');
  const tiers = viewTiers(plans);
  if (context.json) {
    const measured = MEASURED.on;
    context.sayJson({ schemaVersion: SCHEMA_VERSION, running: running ?? null, chosen, measured, tiers });
    return CommandExit.ok;
  }
  for (const line of renderTiers(tiers, chosen)) context.say(line);
  context.say('');
  context.say(
    running === undefined
      ? `nothing runs here; ${chosen} would (BULKHEAD_TIER)`
      : `${running} runs here; another one: start it anew with BULKHEAD_TIER=…, the data of absent parts stays`,
  );
  context.say(
    `Memory was measured on ${MEASURED.on} with the shipped app; the cache of the database, requests and each job come on top.`,
  );
  return CommandExit.ok;
}

async function askRunning(context: Context): Promise<string | undefined> {
  try {
    return (await (await context.client()).get<ProductStatus>('/v1/status')).tier;
  } catch (error) {
    if (error instanceof Failure && error.code === 'unreachable') return undefined;
    throw error;
  }
}
