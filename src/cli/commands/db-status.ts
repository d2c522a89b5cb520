import { Failure } from '../../base/errors.ts';
import type { DatabaseStatus } from '../../protocol/database-status.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { tellRestorable } from '../backup-text.ts';
import type { Context } from '../command.ts';
import { renderDatabase } from '../database-text.ts';
import { runProgram } from '../run-program.ts';
import { findVolume } from '../running-plan.ts';

/** The answer is made by a child of PID 1, because only it may speak to the database as its owner. */
export async function run(context: Context): Promise<number> {
  const { io } = context;
  // The other end is this very program: the shape is that of protocol/database-status.ts.
  const database = (await runProgram(context, 'database-status', {})) as DatabaseStatus;
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, database });
  else {
    context.say(
      renderDatabase(database, io.out.columns, context.paint, io.now(), await describeBackup(context)),
    );
  }
  return CommandExit.ok;
}

/** Undefined where their folder is closed to whoever asks. */
async function describeBackup(context: Context): Promise<string | undefined> {
  try {
    const list = await context.doors.backups?.(await findVolume(context));
    return list && tellRestorable(list.backups, context.io.now());
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
