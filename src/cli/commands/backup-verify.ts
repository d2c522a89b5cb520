import type { VerifyResult } from '../../protocol/backups.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { usageFailure } from '../arguments.ts';
import { describeVerify } from '../backup-text.ts';
import type { Context } from '../command.ts';
import { openProgramPlace } from '../program-place.ts';

/** Ends 1 where any of them is not what it should be. */
export async function run(context: Context): Promise<number> {
  const { given } = context;
  if (given.has('all') && given.words.length > 0) {
    throw usageFailure('cannot run backup verify: --all and names of backups at once', 'write one of them');
  }
  const level = given.value('level');
  const place = await openProgramPlace(context);
  const input = {
    ...(given.has('all') ? { all: 'yes' } : {}),
    ...(given.words.length > 0 ? { ids: given.words.join(',') } : {}),
    ...(level === undefined ? {} : { level }),
    ...(given.has('wait') ? { wait: 'yes' } : {}),
    ...(place.alone ? { alone: '1' } : {}),
  };
  // The other end is this very program: the shape is that of protocol/backups.ts.
  const verified = (await place
    .run('verify-backups', input)
    .finally(() => place.close())) as readonly VerifyResult[];
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, verified });
  for (const result of verified) {
    context.say(
      `${context.paint(result.ok ? 'good' : 'bad', result.ok ? '✔' : '✖')} ${result.id}: ${describeVerify(result)}`,
    );
  }
  if (verified.length === 0) context.say('there is no backup to verify');
  return verified.every(({ ok }) => ok) ? CommandExit.ok : CommandExit.failed;
}
