import { CommandExit } from '../../protocol/exit-codes.ts';
import { COMMANDS } from '../catalogue.ts';
import type { Context } from '../command.ts';
import { findCommand } from '../find-command.ts';
import { renderCommandHelp, renderGroupHelp, renderHelp } from '../help.ts';

export async function run(context: Context): Promise<number> {
  const { words } = context.given;
  const [first] = words;
  const isGroup = words.length === 1 && COMMANDS.some(({ name }) => name.startsWith(`${first} `));
  if (first === undefined) context.io.out.write(`${renderHelp(context.paint)}\n`);
  else if (isGroup) context.io.out.write(`${renderGroupHelp(first, context.paint)}\n`);
  else context.io.out.write(`${renderCommandHelp(findCommand(words).spec, context.paint)}\n`);
  return CommandExit.ok;
}
