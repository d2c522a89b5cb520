import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { runProgram } from '../run-program.ts';

interface Fetched {
  readonly where: string;
  readonly list?: readonly { readonly id: string; readonly startedAt: string }[];
  readonly fetched?: { readonly id: string };
}

/** Without an id: which copies there are. */
export async function run(context: Context): Promise<number> {
  const [id] = context.given.words;
  // The other end is this very program: the shape is that of backups/fetch-backup.ts.
  const answer = (await runProgram(context, 'fetch-backup', id === undefined ? {} : { id })) as Fetched;
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...answer });
  for (const each of answer.list ?? []) context.say(`${each.id}  ${each.startedAt}`);
  if (answer.list?.length === 0) context.say(`there are no copies in ${answer.where}`);
  if (answer.fetched) {
    const { id: whole } = answer.fetched;
    context.say(`fetched ${whole} from ${answer.where}. Restore it: bulkhead backup restore ${whole}`);
  }
  return CommandExit.ok;
}
