/** Whether a server that is not ours sorts text otherwise than when its indexes were built; only its owner can mend it. */
import type { Session } from '../postgres/connect.ts';
import { hasLedger, readLedger } from '../postgres/ledger.ts';
import { findDrifted } from './collation.ts';

/** The name of the database where it does; asked of that database, as the application. */
export async function findExternalDrift(session: Session, database: string): Promise<string[]> {
  const ledger = (await hasLedger(session)) ? await readLedger(session) : [];
  const drifted = (await findDrifted(session, ledger)).includes(database);
  return drifted || (await usesOldCollation(session)) ? [database] : [];
}

/** A collation of its own that an index is sorted by, of another version than it was; the only trace before 15. */
async function usesOldCollation(session: Session): Promise<boolean> {
  const { rows } = await session.query(
    `SELECT FROM pg_catalog.pg_collation c
      WHERE c.collversion <> pg_catalog.pg_collation_actual_version(c.oid)
        AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE c.oid = ANY (i.indcollation::pg_catalog.oid[]))
      LIMIT 1`,
  );
  return rows.length > 0;
}
