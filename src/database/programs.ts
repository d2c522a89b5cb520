/** Our child programs around PostgreSQL, by the name PID 1 starts them with. */
import { Failure, messageOf } from '../base/errors.ts';
import type { DatabasePlan, ProgramName } from '../config/plan.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { type Channel, openChannel } from './channel.ts';
import type { Job } from './job.ts';
import { type LazyLog, openLazyLog } from './lazy-log.ts';

const PROGRAMS: Readonly<Record<ProgramName, () => Promise<(job: Job) => Promise<void>>>> = {
  cluster: async () => (await import('./cluster.ts')).runCluster,
  database: async () => (await import('./server.ts')).becomeServer,
  setup: async () => (await import('./setup.ts')).runSetup,
  import: async () => (await import('./import.ts')).runImport,
  'database-status': async () => (await import('./database-status.ts')).runDatabaseStatus,
};

/** Runs one program to its end. Never throws: what goes wrong is reported, printed, and an exit code. */
export async function runProgram(name: string): Promise<number> {
  let channel: Channel | undefined;
  const log = openLazyLog();
  const stop = new AbortController();
  const asked = new Promise<'stopped'>((resolve) => {
    const onSignal = (): void => {
      stop.abort();
      resolve('stopped');
    };
    process.once('SIGTERM', onSignal);
    process.once('SIGINT', onSignal);
  });
  const work = async (): Promise<void> => {
    if (!isProgram(name)) throw new Failure(`cannot run program ${name}: there is none of that name`);
    const load = PROGRAMS[name];
    channel = await openChannel();
    const run = await load();
    await run(jobOf(channel, log, stop.signal));
  };
  try {
    const finished = work();
    // Asked to stop, nothing is waited for but the clean-up: PostgreSQL notices a closed connection by itself.
    const outcome = await Promise.race([finished, asked]);
    if (outcome === 'stopped') {
      await Promise.race([finished.catch(() => undefined), after(1500)]);
      return 143;
    }
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 143;
    const remedy = error instanceof Failure ? error.remedy : undefined;
    const message = messageOf(error);
    // What is not a Failure is our own mistake, and then the stack is what helps.
    log.say(
      'error',
      error instanceof Error && !(error instanceof Failure) ? (error.stack ?? message) : message,
    );
    if (remedy !== undefined) log.say('error', remedy);
    channel?.report({ type: 'failure', message, remedy });
    return (error instanceof Failure ? error.exitCode : undefined) ?? UpExit.taskFailed;
  } finally {
    await log.flush();
    await channel?.close();
  }
}

function isProgram(name: string): name is ProgramName {
  return Object.hasOwn(PROGRAMS, name);
}

function jobOf(channel: Channel, log: LazyLog, signal: AbortSignal): Job {
  const { assignment } = channel;
  return {
    assignment,
    plan: requirePlan(assignment.database),
    signal,
    report: (report) => channel.report(report),
    note: (text) => {
      log.say('warn', text);
      channel.report({ type: 'note', text });
    },
    say: (text) => log.say('info', text),
    leave: async () => {
      await log.flush();
      await channel.close();
    },
  };
}

function requirePlan(plan: DatabasePlan | undefined): DatabasePlan {
  if (plan) return plan;
  throw new Failure('cannot work on the database: the plan has none', {
    remedy: 'add a `database:` to the plan',
  });
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
