/**
 * The program `migrate`: runs the plan's migration where the server is not ours. It holds the lock that keeps other
 * containers out, and ends what a killed migration left running there: on our own server that happens by itself
 * (client_connection_check_interval).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../base/duration.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { MIGRATION_NAME } from '../config/database-runs.ts';
import { connectAsApp, type Server, type Session, serverOf } from '../postgres/connect.ts';
import type { Job } from '../program/job.ts';
import type { AssignedCommand } from '../protocol/channel.ts';
import { takeSharedLock } from './shared-lock.ts';

/** How long it may take to end by itself, within the patience of whoever stops us. */
const KILL_AFTER_MS = 4000;
const SESSIONS_END_MS = 5000;

export async function runMigration(job: Job): Promise<void> {
  const { command } = job.assignment;
  if (!command) throw new Error('the assignment has no command to run');
  const server = serverOf(job.assignment, job.plan);
  await using lock = await takeSharedLock(job, server);
  // Whoever else calls itself a migration now, with the lock in our hands, is left over from a killed one.
  const leftover = await endSessions(lock.session);
  if (leftover > 0) job.say(`ended ${leftover} sessions of a migration that was killed`);
  const { code, timedOut } = await runCommand(job, server, command);
  if (code === 0) return;
  await endSessionsAnyhow(job, server);
  if (timedOut) {
    throw new Failure(
      `the migration took longer than ${formatDuration(command.timeout ?? 0)} and was ended, with its sessions`,
      { remedy: 'give it more time with database.migrate.timeout, or see in its log what it waited for' },
    );
  }
  job.endWith(code);
}

interface Outcome {
  readonly code: number;
  readonly timedOut: boolean;
}

function runCommand(job: Job, { external }: Server, command: AssignedCommand): Promise<Outcome> {
  const [program = '', ...args] = command.argv;
  const url = external?.url;
  const env = {
    ...command.env,
    // By which PID 1 finds what leaves our session.
    ...(process.env.BULKHEAD_SERVICE === undefined ? {} : { BULKHEAD_SERVICE: process.env.BULKHEAD_SERVICE }),
    ...(url !== undefined && command.env.DATABASE_URL === url ? { DATABASE_URL: nameSessions(url) } : {}),
  };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
    let timedOut = false;
    const timer = command.timeout
      ? setTimeout(() => {
          timedOut = true;
          stop(child);
        }, command.timeout)
      : undefined;
    const onAbort = (): void => stop(child);
    if (job.signal.aborted) onAbort();
    else job.signal.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      job.signal.removeEventListener('abort', onAbort);
    };
    child.once('error', (cause) => {
      settle();
      const missing = 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'EACCES');
      reject(
        new Failure(`cannot run the migration: ${messageOf(cause)}`, {
          ...(missing ? { remedy: 'look at database.migrate.command; it is looked up on the PATH' } : {}),
          cause,
        }),
      );
    });
    child.once('exit', (code, signal) => {
      settle();
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), timedOut });
    });
  });
}

function stop(child: ChildProcess): void {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
}

/** Clients that do not know PGAPPNAME (Prisma) take it from the address. */
export function nameSessions(url: string): string {
  if (/[?&]application_name=/.test(url)) return url;
  return `${url}${url.includes('?') ? '&' : '?'}application_name=${MIGRATION_NAME}`;
}

/** The lock's session may be gone with the server; then so are the others, or a new one finds them. */
async function endSessionsAnyhow(job: Job, server: Server): Promise<void> {
  try {
    const session = await connectAsApp(server, job.plan.name);
    try {
      await endSessions(session);
    } finally {
      await session.end();
    }
  } catch (error) {
    job.say(`cannot look for sessions of the migration: ${messageOf(error)}; the next start does`);
  }
}

/** Resolves with how many there were, when none is left: their locks go with them. */
async function endSessions(session: Session): Promise<number> {
  const deadline = performance.now() + SESSIONS_END_MS;
  let most = 0;
  for (;;) {
    const { rowCount } = await session.query(
      `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
        WHERE application_name = $1 AND datname = pg_catalog.current_database() AND usename = current_user
          AND pid <> pg_catalog.pg_backend_pid()`,
      [MIGRATION_NAME],
    );
    most = Math.max(most, rowCount ?? 0);
    if (!rowCount || performance.now() > deadline) return most;
    await delay(100);
  }
}
