import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Failure } from '../../base/errors.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { Context, Invocation } from '../command.ts';
import { requirePlan } from '../plan-reading.ts';
import { askRunningPlan } from '../running-plan.ts';

/** psql takes over the terminal; its exit code is ours. */
export async function run(context: Context): Promise<number> {
  const { doors, given } = context;
  if (!doors.psql) throw new Error('the front door gave no way to psql');
  const { plan } = requirePlan(context);
  if (!plan.database) {
    throw new Failure('cannot open psql: the plan has no database of its own', {
      exitCode: CommandExit.refused,
      remedy: 'add database: to the plan, or use psql with your own DATABASE_URL',
    });
  }
  const running = await askRunningPlan(context);
  const dataDir = running.get('data') ?? plan.dataDir;
  const port = Number(running.get('database.port') ?? plan.database.port);
  return become(
    await doors.psql({ dataDir, database: { ...plan.database, port }, args: given.rest }),
    context,
  );
}

function become({ argv, env }: Invocation, { io }: Context): Promise<number> {
  const [file = '', ...args] = argv;
  // Ctrl-C is for psql, which cancels the query with it.
  const release = io.onSignal('SIGINT', () => {});
  return new Promise<number>((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env: { ...io.env, ...env } });
    child.once('error', (error) => reject(new Failure(`cannot run ${file}: ${error.message}`)));
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  }).finally(release);
}
