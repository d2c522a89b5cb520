import type { PruneResult } from '../../protocol/backups.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { renderPruning } from '../backup-text.ts';
import type { Context } from '../command.ts';
import { runProgram } from '../run-program.ts';

export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  // The other end is this very program: the shape is that of protocol/backups.ts.
  const result = (await runProgram(
    context,
    'prune-backups',
    given.has('dry-run') ? { dryRun: 'yes' } : {},
  )) as PruneResult;
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...result });
  else context.say(renderPruning(result, { width: io.out.columns, now: io.now(), paint: context.paint }));
  return CommandExit.ok;
}
