/** How many rows every table has, of two servers side by side. */
import type { Session } from '../postgres/connect.ts';
import { JOBS_DATABASE } from '../postgres/layout.ts';
import type { TableCounts } from '../protocol/point-in-time.ts';

/** Sessions by the name of a database; undefined: it is not there. */
export type OpenDatabase = (name: string) => Promise<Session>;

/** By `database` and quoted table. Only rows are counted: no code of a database runs. */
export async function countRows(
  open: OpenDatabase,
): Promise<Map<string, { database: string; table: string; rows: number }>> {
  const counts = new Map<string, { database: string; table: string; rows: number }>();
  for (const database of await listDatabases(open)) {
    const session = await open(database);
    try {
      await session.query('SET row_security = off');
      const { rows } = await session.query<{ name: string }>(
        `SELECT format('%I.%I', n.nspname, c.relname) AS name
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND c.relpersistence <> 't'
            AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'bulkhead')
          ORDER BY 1`,
      );
      for (const { name } of rows) {
        const found = await session.query<{ rows: string }>(`SELECT count(*) AS rows FROM ONLY ${name}`);
        counts.set(`${database} ${name}`, { database, table: name, rows: Number(found.rows[0]?.rows) });
      }
    } finally {
      await session.end();
    }
  }
  return counts;
}

type Counts = Awaited<ReturnType<typeof countRows>>;

/** Every table of either. Pure. `live` undefined: there is no server to ask. */
export function compareCounts(live: Counts | undefined, restored: Counts): TableCounts[] {
  const keys = [...new Set([...restored.keys(), ...(live?.keys() ?? [])])].sort();
  return keys.flatMap((key) => {
    const either = restored.get(key) ?? live?.get(key);
    if (!either) return [];
    const { database, table } = either;
    return [{ database, table, live: live?.get(key)?.rows, restored: restored.get(key)?.rows }];
  });
}

/** Jobs come and go: what there was of them says nothing about a moment. */
async function listDatabases(open: OpenDatabase): Promise<string[]> {
  const session = await open('postgres');
  try {
    const { rows } = await session.query<{ datname: string }>(
      `SELECT datname FROM pg_catalog.pg_database
        WHERE datallowconn AND NOT datistemplate AND datname <> '${JOBS_DATABASE}' ORDER BY 1`,
    );
    return rows.map(({ datname }) => datname);
  } finally {
    await session.end();
  }
}
