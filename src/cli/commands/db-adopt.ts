import { resolve } from 'node:path';
import { Failure } from '../../base/errors.ts';
import { formatSize } from '../../base/size.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { AdoptPlan } from '../../protocol/operations.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';
import { confirm } from '../confirm.ts';
import { openProgramPlace } from '../program-place.ts';

/** The data folder of another image becomes this volume's; only where nothing runs and no cluster is. */
export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const place = await openProgramPlace(context);
  try {
    if (!place.alone) {
      throw new Failure('cannot adopt a cluster: a supervisor runs on this volume, so it has one', {
        remedy: 'use an empty volume; or dump the other one, and: bulkhead db import --replace FILE',
        exitCode: CommandExit.refused,
      });
    }
    const path = resolve(io.cwd, given.words[0] ?? '');
    // The other end is this very program: the shape is that of protocol/operations.ts.
    const plan = (await place.run('adopt', { path, dryRun: '1' })) as AdoptPlan;
    context.say(
      [
        `${plan.folder} is a cluster of PostgreSQL ${plan.from} (${formatSize(plan.bytes)}).`,
        `It is copied and not changed; all databases and roles of the copy move into a cluster of PostgreSQL ${plan.to} of this volume, and every row is compared.`,
      ].join('\n'),
    );
    if (!given.has('dry-run')) {
      await confirm(context, `adopt ${plan.folder}`);
      await place.run('adopt', { path });
      await place.comeIntoForce(undefined);
      context.say(`adopted ${plan.folder}. Start: bulkhead up`);
    }
    if (context.json)
      context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: given.has('dry-run'), adopt: plan });
    return CommandExit.ok;
  } finally {
    place.close();
  }
}
