import type { DatabaseStatus } from '../../protocol/database-status.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { renderDatabase } from '../database-text.ts';
import { runProgram } from '../run-program.ts';

/** The answer is made by a child of PID 1, because only it may speak to the database as its owner. */
export async function run(context: Context): Promise<number> {
  // The other end is this very program: the shape is that of protocol/database-status.ts.
  const database = (await runProgram(context, 'database-status', {})) as DatabaseStatus;
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, database });
  else context.say(renderDatabase(database, context.io.out.columns, context.paint, context.io.now()));
  return CommandExit.ok;
}
