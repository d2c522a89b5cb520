import { resolve } from 'node:path';
import { formatDuration } from '../../base/duration.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';
import { confirm } from '../confirm.ts';
import { renderFacts } from '../fact-text.ts';
import { beside } from '../program-place.ts';

/** Beside a living supervisor alone; afterwards set-up, migrations and the app run again, as after a first import. */
export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const file = resolve(io.cwd, given.words[0] ?? '');
  const place = beside(context, await context.client());
  const replaces = given.has('replace');
  if (replaces) {
    context.remark(
      `${file} takes the place of the application's database, which is kept under another name; what works on it is restarted at the end.`,
    );
    await confirm(context, `replace the database by ${file}`);
  }
  const begun = io.now();
  const imported = await place.run('import', { file, ...(replaces ? { mode: 'replace' } : {}) });
  const took = formatDuration(io.now() - begun);
  const code = await place.comeIntoForce(given.duration('timeout'), 'setup');
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, imported, exitCode: code });
  const facts = imported === undefined ? '' : `\n${renderFacts(imported)}`;
  const then =
    code === CommandExit.ok ? 'set-up and migrations have run on it' : 'what had to run on it failed';
  context.say(`imported ${file} in ${took}; ${then}${facts}${wayBack(imported)}`);
  return code;
}

/** What a replacement has put aside is told with the way back to it. */
function wayBack(imported: unknown): string {
  const { kept } = (imported ?? {}) as { readonly kept?: unknown };
  if (typeof kept !== 'string') return '';
  return `\nback to what was there: bulkhead db rollback ${kept}; rid of it: bulkhead db rollback --forget ${kept}`;
}
