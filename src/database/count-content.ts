/** How much there is in a database, as `db status` shows it. */
import type { Session } from '../postgres/connect.ts';
import { JOBS_DATABASE } from '../postgres/layout.ts';

/** Only catalogs are read: a superuser never touches what the application made. The caller ends the session. */
export async function countContent(app: Session): Promise<{ tables: number; rows: number }> {
  const { rows } = await app.query<{ tables: string; rows: string }>(
    `SELECT count(*) AS tables, coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS rows
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', '${JOBS_DATABASE}')
        AND (n.nspname, c.relname) <> ('bulkhead', 'ledger')`,
  );
  return { tables: Number(rows[0]?.tables), rows: Number(rows[0]?.rows) };
}
