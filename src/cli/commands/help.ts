import { CommandExit } from '../../protocol/exit-codes.ts';
import type { Context } from '../command.ts';
import { findCommand } from '../find-command.ts';
import { renderCommandHelp, renderGroupHelp, renderHelp } from '../help.ts';

export async function run(context: Context): Promise<number> {
  const { commands, given, io, paint } = context;
  const { words } = given;
  const [first] = words;
  const isGroup = words.length === 1 && commands.some(({ name }) => name.startsWith(`${first} `));
  if (first === undefined) io.out.write(`${renderHelp(commands, paint)}\n`);
  else if (isGroup) io.out.write(`${renderGroupHelp(commands, first, paint)}\n`);
  else io.out.write(`${renderCommandHelp(findCommand(commands, words).spec, paint)}\n`);
  return CommandExit.ok;
}
