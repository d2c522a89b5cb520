/** The copies in the store of the plan, as a table. */
import type { BackupView } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import { renderCopies } from './backup-text.ts';
import type { Context } from './command.ts';
import { openProgramPlace } from './program-place.ts';

export async function listCopies(context: Context, kind?: string): Promise<number> {
  const place = await openProgramPlace(context);
  try {
    // The other end is this very program: the shape is that of backups/fetch-backup.ts.
    const { where, list } = (await place.run('fetch-backup', {})) as {
      readonly where: string;
      readonly list: readonly BackupView[];
    };
    const backups = kind === undefined ? list : list.filter((backup) => backup.kind === kind);
    const { io, paint } = context;
    if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, where, list: backups });
    else context.say(renderCopies(backups, where, { width: io.out.columns, now: io.now(), paint }));
    return CommandExit.ok;
  } finally {
    place.close();
  }
}
