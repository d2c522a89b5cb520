import { CommandExit } from '../../protocol/exit-codes.ts';
import type { RollbackPlan } from '../../protocol/operations.ts';
import { SCHEMA_VERSION } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { confirm } from '../confirm.ts';
import { openProgramPlace } from '../program-place.ts';
import { ageOf } from '../status-text.ts';

/** The cluster that was in use before an upgrade or a restore comes back; the one in use is kept in its turn. */
export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const place = await openProgramPlace(context);
  try {
    const [name] = given.words;
    const wanted = name === undefined ? {} : { name };
    // The other end is this very program: the shape is that of protocol/operations.ts.
    const plan = (await place.run('rollback', { ...wanted, dryRun: '1' })) as RollbackPlan;
    context.say(
      [
        `${plan.name} is a cluster of PostgreSQL ${plan.major} that was in use until ${plan.since} (${plan.why}).`,
        `Whatever was written in the ${ageOf(plan.since, io.now())} since then is not in it. The cluster in use now is kept for seven days.`,
      ].join('\n'),
    );
    if (!given.has('dry-run')) {
      await confirm(context, `bring back ${plan.name}`);
      await place.run('rollback', { name: plan.name });
      const code = await place.comeIntoForce(given.duration('timeout'));
      if (code !== CommandExit.ok) return code;
      context.say(`brought back ${plan.name}${place.alone ? '. Start: bulkhead up' : ''}`);
    }
    if (context.json) {
      context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: given.has('dry-run'), rollback: plan });
    }
    return CommandExit.ok;
  } finally {
    place.close();
  }
}
