import { Failure } from '../../base/errors.ts';
import { formatSize } from '../../base/size.ts';
import type { DatabaseStatus } from '../../protocol/database-status.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { UpgradePlan } from '../../protocol/operations.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { ProductStatus } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { confirm } from '../confirm.ts';
import { openProgramPlace, type ProgramPlace } from '../program-place.ts';

/** Shows what it will do, has the next start do it, and brings that start about. */
export async function run(context: Context): Promise<number> {
  const { given } = context;
  const place = await openProgramPlace(context);
  try {
    const to = given.value('to');
    const wanted = to === undefined ? {} : { to };
    // The other end is this very program: the shape is that of protocol/operations.ts.
    const plan = (await place.run('upgrade', { ...wanted, dryRun: '1' })) as UpgradePlan;
    context.say(describe(plan, place));
    if (given.has('dry-run')) {
      if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: true, upgrade: plan });
      return CommandExit.ok;
    }
    await confirm(context, `upgrade PostgreSQL ${plan.from} to ${plan.to}`);
    const without = given.has('yes-without-backup') ? { withoutBackup: '1' } : {};
    await place.run('upgrade', { to: String(plan.to), ...without });
    const code = await place.comeIntoForce(given.duration('timeout'));
    if (code === CommandExit.ok && !place.alone) await requireMajor(context, place, plan.to);
    if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: false, upgrade: plan });
    context.say(
      `upgraded to PostgreSQL ${plan.to}; the cluster of ${plan.from} is kept for seven days. Back to it: bulkhead db rollback${place.alone ? '. Start: bulkhead up' : ''}`,
    );
    return code;
  } finally {
    place.close();
  }
}

function describe(plan: UpgradePlan, { alone }: ProgramPlace): string {
  const { from, to, bytes, needed, free, backup } = plan;
  return [
    `The cluster of PostgreSQL ${from} (${formatSize(bytes)}) is dumped and restored into a new one of ${to}, and every row is compared.`,
    alone ? 'Nothing runs meanwhile.' : 'The database and all that depends on it are stopped meanwhile.',
    `It takes up to ${formatSize(needed)}; ${formatSize(free)} are free. The old cluster is kept for seven days.`,
    backup === undefined
      ? 'There is no verified backup of the last day: make one (bulkhead backup run daily), or say --yes-without-backup.'
      : `The verified backup ${backup} is there in any case.`,
  ].join('\n');
}

/** A start whose upgrade failed goes on with the old cluster and says so in a note. */
async function requireMajor(context: Context, place: ProgramPlace, major: number): Promise<void> {
  const { serverVersion } = (await place.run('database-status', {})) as DatabaseStatus;
  if (Number.parseInt(serverVersion, 10) === major) return;
  const { notes } = await (await context.client()).get<ProductStatus>('/v1/status');
  const why = notes.find((note) => note.includes('upgrade from PostgreSQL'));
  throw new Failure(why ?? `PostgreSQL ${serverVersion} is still in use`, {
    remedy: 'nothing has changed; see more: bulkhead logs cluster',
  });
}
