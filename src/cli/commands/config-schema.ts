import { schemaText } from '../../config/schema.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { Context } from '../command.ts';

/** JSON in any case: that is what a schema is. */
export async function run(context: Context): Promise<number> {
  context.io.out.write(schemaText());
  return CommandExit.ok;
}
