import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { renderFacts } from '../fact-text.ts';
import { runProgram } from '../run-program.ts';

/** The answer is made by a child of PID 1, because only it may speak to the database as its owner. */
export async function run(context: Context): Promise<number> {
  const database = await runProgram(context, 'database-status', {});
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, database });
  context.say(renderFacts(database));
  return CommandExit.ok;
}
