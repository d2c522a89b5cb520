/** Which errors of PostgreSQL mean that it could not be asked. */
import { codeOf, messageOf } from '../../base/errors.ts';
import { isConnectionLost } from '../../postgres/external-session.ts';
import { StoreAway } from '../store.ts';

/**
 * Classes of SQLSTATE: connection (08), who may come in (28), no such database (3D), out of disk, memory or sessions
 * (53), somebody intervened (57: a stop, a start), input and output (58); and a standby that takes no writes.
 */
const AWAY = /^(08|28|3D|53|57|58)...$|^25006$/;

/** Unique index. */
export const UNIQUE_VIOLATION = '23505';

/** What it throws is a refusal, or the word that the store is away; anything else is a mistake of ours. */
export async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAway(error)) throw error;
    throw new StoreAway(`cannot ask the queue in PostgreSQL: ${messageOf(error)}`, error);
  }
}

function isAway(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = codeOf(cause) ?? '';
    // The system's own: ECONNREFUSED, ENOENT of the socket, ENOTFOUND …
    if (AWAY.test(code) || /^E[A-Z_]{3,}$/.test(code) || code === 'closed' || code === 'database-away')
      return true;
  }
  return isConnectionLost(error);
}
