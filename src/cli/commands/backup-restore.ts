import { resolve } from 'node:path';
import { formatDuration } from '../../base/duration.ts';
import { formatSize } from '../../base/size.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { RestorePlan } from '../../protocol/operations.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { exists } from '../../system/files.ts';
import { usageFailure } from '../arguments.ts';
import type { Context } from '../command.ts';
import { confirm } from '../confirm.ts';
import { describeBetter } from '../moments-text.ts';
import { openProgramPlace, type ProgramPlace } from '../program-place.ts';
import { readIdentity } from '../read-identity.ts';
import { filesKindOf, restoreFiles } from '../restore-files.ts';
import { returnToMoment } from '../return-to-moment.ts';
import { findVolume } from '../running-plan.ts';
import { ageOf } from '../status-text.ts';

/** Shows what it will do, does it, and brings about the start that lets it come into force. */
export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const moment = momentOf(context);
  if (moment !== undefined) return returnToMoment(context, moment);
  const isFar = given.has('from-offsite');
  const [word = ''] = given.words;
  const wanted = isFar || io.namesOnly ? word : nameOrPath(word, io.cwd);
  const files = filesKindOf(wanted, given.value('kind'));
  if (files !== undefined) return restoreFiles(context, files, wanted);
  const begun = io.now();
  const place = await openProgramPlace(context);
  try {
    const input = {
      backup: wanted,
      ...(given.has('replace') ? { replace: '1' } : {}),
      ...(place.alone ? { alone: '1' } : {}),
      ...readIdentity(context),
    };
    // The other end is this very program: the shape is that of protocol/operations.ts.
    const plan = (await place.run('restore', {
      ...input,
      dryRun: '1',
      ...(isFar ? { offsite: '1' } : {}),
    })) as RestorePlan;
    context.say(describe(plan, place, io.now()));
    if (plan.at !== undefined && !plan.foreign) {
      const moments = await context.doors.moments?.(await findVolume(context));
      const better = describeBetter(moments, plan.at, io.now());
      if (better !== undefined) context.say(better);
    }
    if (given.has('dry-run')) {
      if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: true, restore: plan });
      return CommandExit.ok;
    }
    // Where nothing is lost, and where it will be refused for want of --replace, there is nothing to ask.
    if (plan.replaced !== undefined && given.has('replace')) await confirm(context, `restore ${plan.what}`);
    // A whole copy comes before anything is touched; it stays among the backups here.
    if (isFar) await place.run('fetch-backup', { id: plan.what, ...(place.alone ? { alone: '1' } : {}) });
    const done = (await place.run('restore', {
      ...input,
      ...(isFar ? { backup: plan.what } : {}),
    })) as RestorePlan;
    const needsStart = done.flip || !place.alone;
    const code = needsStart
      ? await place.comeIntoForce(given.duration('timeout'), done.flip ? 'cluster' : 'setup')
      : CommandExit.ok;
    if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: false, restore: done });
    context.say(
      `restored ${done.what} in ${formatDuration(io.now() - begun)}.${describeKept(done)}${place.alone ? ' Start: bulkhead up' : ''}`,
    );
    return code;
  } finally {
    place.close();
  }
}

/** Undefined where a backup is named. */
function momentOf({ given }: Context): string | undefined {
  const wishes = [given.value('to-time'), given.has('to-latest') ? 'latest' : undefined, given.words[0]];
  if (wishes.filter((wish) => wish !== undefined).length !== 1) {
    throw usageFailure(
      'cannot tell what to restore: name one backup, or one moment',
      'write: bulkhead backup restore BACKUP, or --to-time TIME, or --to-latest',
    );
  }
  const moment = wishes[0] ?? wishes[1];
  if (moment !== undefined && (given.has('from-offsite') || given.value('kind') !== undefined)) {
    throw usageFailure(
      'cannot go back to a moment from a copy or of files: it is reached by base backups and the log that lie here',
      'leave --from-offsite and --kind out, or name a backup',
    );
  }
  return moment;
}

/** A path is told from an id by its slash, or by being there. */
function nameOrPath(word: string, cwd: string): string {
  const path = resolve(cwd, word);
  return word.includes('/') || (word !== '' && exists(path)) ? path : word;
}

function describe(plan: RestorePlan, { alone }: ProgramPlace, now: number): string {
  const { what, at, bytes, rows, tables, foreign, replaced, flip } = plan;
  const content = rows === undefined ? '' : `, ${rows.toLocaleString('en')} rows in ${tables} tables`;
  const age = at === undefined ? '' : ` is of ${at}, ${ageOf(at, now)} ago:`;
  const lost = at === undefined ? '' : ` What was written in the ${ageOf(at, now)} since then is not in it.`;
  const size =
    replaced === undefined
      ? ''
      : ` (${formatSize(replaced.bytes)}${replaced.tables === undefined ? '' : `, ${replaced.tables} tables`})`;
  return [
    `${what}${age} ${formatSize(bytes)}${content}.`,
    ...(foreign ? ['It is of another installation than this volume.'] : []),
    replaced === undefined
      ? 'Nothing is there that it would replace.'
      : `It takes the place of ${replaced.what}${size}, which is kept.${lost}`,
    ...(alone
      ? []
      : [
          flip
            ? 'The database and all that depends on it are restarted at the end.'
            : 'What works on the database is restarted at the end.',
        ]),
  ].join('\n');
}

function describeKept({ kept, flip, replaced }: RestorePlan): string {
  if (flip) {
    return replaced === undefined
      ? ''
      : ' What was there is kept for seven days; back to it: bulkhead db rollback.';
  }
  return kept === undefined
    ? ''
    : ` What was there is now the database ${kept}; back to it: bulkhead db rollback ${kept}; when it is not needed any more: bulkhead db rollback --forget ${kept}.`;
}
