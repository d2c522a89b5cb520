import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { renderBackups } from '../backup-text.ts';
import type { Context } from '../command.ts';
import { listCopies } from '../list-copies.ts';
import { renderMoments } from '../moments-text.ts';
import { findVolume } from '../running-plan.ts';

/** Read from the volume itself: after a disaster nobody else is there to ask. */
export async function run(context: Context): Promise<number> {
  const { doors, given, io } = context;
  if (!doors.backups) throw new Error('the front door gave no way to the backups');
  if (given.has('offsite')) return listCopies(context, given.value('kind'));
  const dataDir = await findVolume(context);
  const kind = given.value('kind');
  const { backups: all, lastRun } = await doors.backups(dataDir);
  const backups = kind === undefined ? all : all.filter((backup) => backup.kind === kind);
  const moments = await doors.moments?.(dataDir);
  if (context.json) {
    context.sayJson({
      schemaVersion: SCHEMA_VERSION,
      dataDir,
      backups,
      lastRun,
      ...(moments ? { moments } : {}),
    });
  } else {
    const view = { dataDir, width: io.out.columns, now: io.now(), paint: context.paint };
    context.say(renderBackups({ backups, lastRun }, view));
    if (moments) context.say(renderMoments(moments, view));
  }
  return CommandExit.ok;
}
