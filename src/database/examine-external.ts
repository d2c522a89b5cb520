/** What `bulkhead doctor` finds out about a server that is not ours, with or without a supervisor. */
import { Failure, messageOf } from '../base/errors.ts';
import { nameServer } from '../config/external-url.ts';
import type { DatabasePlan } from '../config/plan.ts';
import { ConnectFailure } from '../postgres/explain-connect.ts';
import { openExternalSession } from '../postgres/external-session.ts';
import { encryptionOf } from './external-database.ts';

/** One sentence about it; throws a Failure with why it cannot be used. */
export async function examineExternal({ external, user, password, name }: DatabasePlan): Promise<string> {
  if (!external) throw new Failure('the database is not an external one');
  const where = nameServer(external);
  try {
    const session = await openExternalSession(external, { user, password, database: name });
    try {
      const { rows } = await session.query<{ version: string }>(
        `SELECT pg_catalog.current_setting('server_version') AS version`,
      );
      return `PostgreSQL ${rows[0]?.version} at ${where} lets ${user} into ${name}, ${encryptionOf(session)}`;
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
