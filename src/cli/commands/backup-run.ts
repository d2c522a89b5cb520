import { formatDuration } from '../../base/duration.ts';
import { formatSize } from '../../base/size.ts';
import type { BackupRunResult } from '../../protocol/backups.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { usageFailure } from '../arguments.ts';
import { describeVerify } from '../backup-text.ts';
import type { Context } from '../command.ts';
import { runProgram } from '../run-program.ts';

const RUNS = ['daily', 'base', 'assets', 'config'];

export async function run(context: Context): Promise<number> {
  const { given } = context;
  const what = given.words[0] ?? '';
  if (!RUNS.includes(what)) {
    throw usageFailure(
      `cannot run the backup "${what}": there is none of that name`,
      `write: bulkhead backup run ${RUNS.join('|')}`,
    );
  }
  const level = given.value('level');
  // The other end is this very program: the shape is that of protocol/backups.ts.
  const result = (await runProgram(context, 'backup', {
    what,
    ...(level === undefined ? {} : { level }),
    ...(given.has('full') ? { full: 'yes' } : {}),
    ...(given.has('wait') ? { wait: 'yes' } : {}),
  })) as BackupRunResult;
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...result });
  for (const { backup, durationMs, verified } of result.made) {
    context.say(
      `${backup.id}: ${formatSize(backup.size)} in ${formatDuration(durationMs)}; ${describeVerify(verified)}`,
    );
  }
  const gone = result.pruned.backups.filter(({ keep }) => !keep).map(({ id }) => id);
  if (gone.length > 0) context.say(`removed: ${gone.join(', ')}`);
  for (const why of result.pruned.held) context.say(`nothing removed: ${why}`);
  return CommandExit.ok;
}
