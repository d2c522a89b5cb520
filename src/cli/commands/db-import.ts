import { resolve } from 'node:path';
import { formatDuration } from '../../base/duration.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { renderFacts } from '../fact-text.ts';
import { runProgram } from '../run-program.ts';

export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const file = resolve(io.cwd, given.words[0] ?? '');
  const begun = io.now();
  const imported = await runProgram(context, 'import', {
    file,
    ...(given.has('replace') ? { mode: 'replace' } : {}),
  });
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, imported });
  const facts = imported === undefined ? '' : `\n${renderFacts(imported)}`;
  context.say(
    `imported ${file} in ${formatDuration(io.now() - begun)}. Migrate it: bulkhead db migrate${facts}${wayBack(imported)}`,
  );
  return CommandExit.ok;
}

/** What a replacement has put aside is told with the way back to it. */
function wayBack(imported: unknown): string {
  const { kept } = (imported ?? {}) as { readonly kept?: unknown };
  if (typeof kept !== 'string') return '';
  return `\nback to what was there: bulkhead db rollback ${kept}; rid of it: bulkhead db rollback --forget ${kept}`;
}
