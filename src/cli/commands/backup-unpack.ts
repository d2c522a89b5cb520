import { resolve } from 'node:path';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';
import { runProgram } from '../run-program.ts';

export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const [id = '', into = ''] = given.words;
  const identity = given.value('identity') ?? io.env.BACKUP_IDENTITY_FILE;
  const done = (await runProgram(context, 'unpack-backup', {
    id,
    into: resolve(io.cwd, into),
    ...(identity === undefined ? {} : { identity: resolve(io.cwd, identity) }),
  })) as { readonly id: string; readonly into: string };
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...done });
  context.say(`unpacked ${done.id} into ${done.into}`);
  return CommandExit.ok;
}
