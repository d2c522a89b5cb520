/** What `bulkhead doctor` finds out about a server that is not ours, with or without a supervisor. */
import { Failure, messageOf } from '../base/errors.ts';
import { nameServer } from '../config/external-url.ts';
import type { DatabasePlan } from '../config/plan.ts';
import { ConnectFailure } from '../postgres/explain-connect.ts';
import { openExternalSession } from '../postgres/external-session.ts';
import { encryptionOf } from './external-database.ts';
import { findExternalDrift } from './external-drift.ts';

/** One sentence about it, and the databases sorted otherwise than they were; throws a Failure with why it cannot be used. */
export async function examineExternal({
  external,
  user,
  password,
  name,
}: DatabasePlan): Promise<{ readonly fact: string; readonly drifted: readonly string[] }> {
  if (!external) throw new Failure('the database is not an external one');
  const where = nameServer(external);
  try {
    const session = await openExternalSession(external, { user, password, database: name });
    try {
      const { rows } = await session.query<{ version: string }>(
        `SELECT pg_catalog.current_setting('server_version') AS version`,
      );
      const fact = `PostgreSQL ${rows[0]?.version} at ${where} lets ${user} into ${name}, ${encryptionOf(session)}`;
      return { fact, drifted: await findExternalDrift(session, name) };
    } finally {
      await session.end();
    }
  } catch (error) {
    if (!(error instanceof ConnectFailure)) throw error;
    throw new Failure(`the database at ${where} cannot be used: ${messageOf(error)}`, {
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      cause: error,
    });
  }
}
