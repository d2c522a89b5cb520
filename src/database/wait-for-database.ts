/** Waits for a server that is not ours, for as long as it takes, and says all the while what is missing. */
import { setTimeout as delay } from 'node:timers/promises';
import { nameServer } from '../config/external-url.ts';
import { connectAsApp, type Server, type Session } from '../postgres/connect.ts';
import { ConnectFailure } from '../postgres/explain-connect.ts';
import { isConnectionLost } from '../postgres/external-session.ts';
import type { Job } from '../program/job.ts';

/** It comes back within seconds where it is only restarted. */
const AWAY = { first: 250, longest: 5000 };
/** A wrong password tried often locks accounts out, and only a person mends it. */
const REFUSED = { first: 5000, longest: 30_000 };
/** A server that goes away so often is not merely being restarted. */
const MOST_TRIES = 5;

/** Resolves with a session of the application; the caller ends it. Ends early only with the program. */
export async function waitForDatabase(job: Job, server: Server): Promise<Session> {
  const what = `waiting for the database at ${server.external ? nameServer(server.external) : server.port}`;
  let told = '';
  for (let attempt = 0; ; attempt += 1) {
    job.signal.throwIfAborted();
    try {
      return await connectAsApp(server, job.plan.name);
    } catch (error) {
      if (!(error instanceof ConnectFailure)) throw error;
      job.report({ type: 'progress', progress: { what, percent: undefined, detail: error.message } });
      if (error.message !== told) {
        told = error.message;
        const remedy = error.remedy === undefined ? '' : `; ${error.remedy}`;
        job.say(`${what}: ${error.message}${remedy}`);
      }
      const { first, longest } = error.kind === 'away' ? AWAY : REFUSED;
      await delay(Math.min(longest, first * 2 ** Math.min(attempt, 16)), undefined, { signal: job.signal });
    }
  }
}

/** Does work that leaves nothing half done, again from its beginning where the connection broke under it. */
export async function overRestarts<T>(job: Job, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (job.signal.aborted || tries >= MOST_TRIES || !isConnectionLost(error)) throw error;
      job.say('lost the connection to the database; nothing was changed, beginning again');
    }
  }
}
