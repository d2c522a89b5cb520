/** One child program from its assignment to its exit code. */
import { Failure, messageOf } from '../base/errors.ts';
import type { BackupsPlan, DatabasePlan } from '../config/plan.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { type Channel, openChannel } from './channel.ts';
import type { Job } from './job.ts';
import { type LazyLog, openLazyLog } from './lazy-log.ts';

/** How long a program may clean up when it is asked to stop, unless it says otherwise. */
const STOP_MS = 1500;
/** The plan allows ten seconds without a word. */
const ALIVE_MS = 2500;

/** Loads what a program does; undefined where there is none of that name. */
export type FindProgram = (name: string) => (() => Promise<(job: Job) => Promise<void>>) | undefined;

/** Runs one program to its end. Never throws: what goes wrong is reported, printed, and an exit code. */
export async function runProgram(name: string, find: FindProgram): Promise<number> {
  let channel: Channel | undefined;
  const log = openLazyLog();
  let endCode = 0;
  let stopTime = STOP_MS;
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
    const load = find(name);
    if (!load) throw new Failure(`cannot run program ${name}: there is none of that name`);
    channel = await openChannel();
    const run = await load();
    await run(
      jobOf(channel, log, {
        signal: stop.signal,
        endWith: (code) => {
          endCode = code;
        },
        takeForStop: (ms) => {
          stopTime = ms;
        },
      }),
    );
  };
  try {
    const finished = work();
    // Asked to stop, nothing is waited for but the clean-up: PostgreSQL notices a closed connection by itself.
    const outcome = await Promise.race([finished, asked]);
    if (outcome === 'stopped') {
      await Promise.race([finished.catch(() => undefined), after(stopTime)]);
      return 143;
    }
    return endCode;
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

function jobOf(channel: Channel, log: LazyLog, own: Pick<Job, 'signal' | 'endWith' | 'takeForStop'>): Job {
  const { assignment } = channel;
  return {
    ...own,
    assignment,
    get plan() {
      return requirePlan(assignment.database);
    },
    get backups() {
      return requireBackups(assignment.backups);
    },
    report: (report) => channel.report(report),
    send: (message) => channel.report(message),
    hear: (listener, onEnd) => channel.hear(listener, onEnd),
    note: (text) => {
      log.say('warn', text);
      channel.report({ type: 'note', text });
    },
    showLife: () => {
      channel.report({ type: 'alive' });
      setInterval(() => channel.report({ type: 'alive' }), ALIVE_MS).unref();
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

/** PID 1 gives it with every database. */
function requireBackups(backups: BackupsPlan | undefined): BackupsPlan {
  if (backups) return backups;
  throw new Error('the assignment has a database and no backups');
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
