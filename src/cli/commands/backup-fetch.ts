import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';
import { listCopies } from '../list-copies.ts';
import { openProgramPlace } from '../program-place.ts';

interface Fetched {
  readonly where: string;
  readonly fetched: { readonly id: string };
}

/** Without an id: which copies there are. */
export async function run(context: Context): Promise<number> {
  const [id] = context.given.words;
  if (id === undefined) return listCopies(context);
  const place = await openProgramPlace(context);
  try {
    // The other end is this very program: the shape is that of backups/fetch-backup.ts.
    const answer = (await place.run('fetch-backup', {
      id,
      ...(place.alone ? { alone: '1' } : {}),
    })) as Fetched;
    if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...answer });
    const { id: whole } = answer.fetched;
    context.say(`fetched ${whole} from ${answer.where}. Restore it: bulkhead backup restore ${whole}`);
    return CommandExit.ok;
  } finally {
    place.close();
  }
}
