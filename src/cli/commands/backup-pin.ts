import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';
import { runProgram } from '../run-program.ts';

/** `pin` and `unpin`. */
export async function run(context: Context): Promise<number> {
  const { given, spec } = context;
  const unpin = spec.name === 'backup unpin';
  const result = (await runProgram(context, 'pin-backup', {
    id: given.words[0] ?? '',
    ...(unpin ? { unpin: 'yes' } : {}),
  })) as { readonly id: string; readonly pinned: boolean };
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...result });
  context.say(
    `${result.id} is ${result.pinned ? 'pinned: it is never removed' : 'not pinned: the rules decide'}`,
  );
  return CommandExit.ok;
}
