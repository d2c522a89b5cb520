import { createBootView } from '../boot-view.ts';
import type { Context } from '../command.ts';
import { commandName } from '../command-name.ts';

/** The supervisor itself; the front door opens its room. */
export async function run(context: Context): Promise<number> {
  const { given, doors, io, color } = context;
  if (!doors.up) throw new Error('the front door gave no way to the supervisor');
  return doors.up({
    tier: given.value('tier'),
    config: given.value('config'),
    data: given.value('data'),
    view: createBootView(
      { write: (text) => io.out.write(text), columns: io.out.columns },
      color,
      commandName(io.env),
    ),
  });
}
