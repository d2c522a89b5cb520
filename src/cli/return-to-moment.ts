/** `bulkhead backup restore --to-time`: shows what it will do, recovers beside the cluster in use, asks, and flips. */
import { Failure } from '../base/errors.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { PointInTimePlan, PointInTimeResult } from '../protocol/point-in-time.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { Context } from './command.ts';
import { confirm } from './confirm.ts';
import { describeReturn, renderReturn } from './moments-text.ts';
import { openProgramPlace, type ProgramPlace } from './program-place.ts';

/** `to`: a moment, or `latest`. */
export async function returnToMoment(context: Context, to: string): Promise<number> {
  const { given, io } = context;
  const place = await openProgramPlace(context);
  const run = (input: Readonly<Record<string, string>>): Promise<unknown> =>
    place.run('point-in-time', { ...input, ...(place.alone ? { alone: '1' } : {}) });
  try {
    // The other end is this very program: the shapes are those of protocol/point-in-time.ts.
    const plan = (await run({ to, dryRun: '1' })) as PointInTimePlan;
    context.say(describeReturn(plan, io.now()));
    if (given.has('dry-run')) {
      if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: true, restore: plan });
      return CommandExit.ok;
    }
    // A time that was said as `10m ago` is the moment it was said.
    const result = (await run({ to: plan.target ?? 'latest' })) as PointInTimeResult;
    context.say(renderReturn(result, { width: io.out.columns, now: io.now(), paint: context.paint }));
    await confirmOrDiscard(context, run, result);
    await run({ confirm: result.stage });
    const code = await place.comeIntoForce(given.duration('timeout'));
    const flipped = code === CommandExit.ok;
    if (flipped && !place.alone) await makeBase(context, place);
    if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: false, restore: result });
    if (flipped) {
      context.say(
        `returned to ${result.to ?? result.until}.${plan.replaces ? ' What was there is kept for seven days; back to it: bulkhead db rollback.' : ''}${
          place.alone ? ' Start: bulkhead up; then make a base backup: bulkhead backup run base' : ''
        }`,
      );
    }
    return code;
  } finally {
    place.close();
  }
}

async function confirmOrDiscard(
  context: Context,
  run: (input: Readonly<Record<string, string>>) => Promise<unknown>,
  { to, stage }: PointInTimeResult,
): Promise<void> {
  try {
    await confirm(context, to === undefined ? 'put it in place of the one in use' : `go back to ${to}`);
  } catch (error) {
    await run({ discard: stage });
    throw error;
  }
}

/** A new timeline has begun: without a base backup on it, every later return replays everything since the old one. */
async function makeBase(context: Context, place: ProgramPlace): Promise<void> {
  try {
    await place.run('backup', { what: 'base' });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    context.remark(`note: the return is done, but no base backup could be made: ${error.message}`);
    context.remark('make one soon: bulkhead backup run base');
  }
}
