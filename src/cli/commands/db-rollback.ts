import { formatSize } from '../../base/size.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { RollbackPlan } from '../../protocol/operations.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { usageFailure } from '../arguments.ts';
import type { Context } from '../command.ts';
import { confirm } from '../confirm.ts';
import { openProgramPlace, type ProgramPlace } from '../program-place.ts';
import { ageOf } from '../status-text.ts';

/** What was in use before an upgrade, a restore or an import comes back, or goes for good; what is in use is kept. */
export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const [name] = given.words;
  const forgets = given.has('forget');
  if (forgets && name === undefined) {
    throw usageFailure(
      'cannot delete what was in use before: say which',
      'see the names: bulkhead db status',
    );
  }
  const place = await openProgramPlace(context);
  try {
    const input = {
      ...(name === undefined ? {} : { name }),
      ...(forgets ? { forget: '1' } : {}),
      ...(place.alone ? { alone: '1' } : {}),
    };
    // The other end is this very program: the shape is that of protocol/operations.ts.
    const plan = (await place.run('rollback', { ...input, dryRun: '1' })) as RollbackPlan;
    context.say(describe(plan, forgets, io.now()));
    const code = given.has('dry-run') ? CommandExit.ok : await act(context, place, plan, input);
    if (code === CommandExit.ok && context.json) {
      context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: given.has('dry-run'), rollback: plan });
    }
    return code;
  } finally {
    place.close();
  }
}

async function act(
  context: Context,
  place: ProgramPlace,
  { name, kind }: RollbackPlan,
  input: Readonly<Record<string, string>>,
): Promise<number> {
  const forgets = input.forget !== undefined;
  await confirm(context, `${forgets ? 'delete' : 'bring back'} ${name}`);
  const done = (await place.run('rollback', { ...input, name })) as RollbackPlan;
  if (forgets) {
    context.say(`deleted ${name}`);
    return CommandExit.ok;
  }
  const from = kind === 'cluster' ? 'cluster' : 'setup';
  const code = await place.comeIntoForce(context.given.duration('timeout'), from);
  if (code !== CommandExit.ok) return code;
  const aside = done.aside === undefined ? '' : `; what was in use is now ${done.aside}`;
  context.say(`brought back ${name}${aside}${place.alone ? '. Start: bulkhead up' : ''}`);
  return CommandExit.ok;
}

function describe(
  { kind, name, major, since, why, bytes }: RollbackPlan,
  forgets: boolean,
  now: number,
): string {
  const what =
    kind === 'cluster'
      ? `${name} is a cluster of PostgreSQL ${major} that was in use until ${since} (${why}).`
      : `${name} is a database of ${formatSize(bytes ?? 0)} that was in use until ${since}.`;
  const age = ageOf(since, now);
  const after = forgets
    ? 'It is deleted for good; what is in use stays as it is.'
    : `Whatever was written in the ${age} since then is not in it. ${
        kind === 'cluster'
          ? 'The cluster in use now is kept for seven days.'
          : 'The database in use now is kept under another name; what works on it is restarted at the end.'
      }`;
  return [what, after].join('\n');
}
