/** Extensions the plan allows: made by the superuser, before the application's own SQL runs. */
import { Failure } from '../base/errors.ts';
import { connectAsSuperuser, type Server, type Session } from './connect.ts';
import { quoteIdentifier } from './sql-text.ts';

/** Throws a Failure that names those the server does not have. */
export async function requireAvailable(
  session: Session,
  names: readonly string[],
  forWhat: string,
): Promise<void> {
  const { rows } = await session.query<{ name: string }>(
    'SELECT DISTINCT name FROM pg_catalog.pg_available_extensions WHERE name = ANY ($1)',
    [names],
  );
  const missing = names.filter((name) => !rows.some((row) => row.name === name));
  if (missing.length === 0) return;
  throw new Failure(`cannot ${forWhat}: this PostgreSQL does not have ${missing.join(', ')}`, {
    remedy: 'add the package of the extension to the image (apt-cache search postgresql), then start again',
  });
}

/**
 * Each with the schema it goes into (undefined: `public`), where they are not there yet. The application role may use
 * what they bring: its tables too, for a dump fills those that are made for that. Returns the new ones.
 */
export async function createExtensions(
  server: Server,
  database: string,
  owner: string,
  wanted: ReadonlyMap<string, string | undefined>,
): Promise<string[]> {
  if (wanted.size === 0) return [];
  const session = await connectAsSuperuser(server, database);
  const made: string[] = [];
  try {
    const { rows } = await session.query<{ extname: string }>('SELECT extname FROM pg_catalog.pg_extension');
    await session.query('SET search_path = pg_catalog');
    for (const [name, schema = 'public'] of wanted) {
      if (rows.some(({ extname }) => extname === name)) continue;
      const into = quoteIdentifier(schema);
      if (schema !== 'public' && schema !== 'pg_catalog')
        await session.query(`CREATE SCHEMA IF NOT EXISTS ${into} AUTHORIZATION ${quoteIdentifier(owner)}`);
      // An extension with a schema of its own refuses any other, and says so; it then goes where it wants.
      await session
        .query(`CREATE EXTENSION ${quoteIdentifier(name)} WITH SCHEMA ${into} CASCADE`)
        .catch((error) => {
          if (!/must be installed in schema/.test(String(error))) throw error;
          return session.query(`CREATE EXTENSION ${quoteIdentifier(name)} CASCADE`);
        });
      await session.query(GRANTS, [name, owner]).then(async ({ rows: grants }) => {
        for (const { sql } of grants) await session.query(String(sql));
      });
      made.push(name);
    }
  } finally {
    await session.end();
  }
  return made;
}

const GRANTS = `
  SELECT format('GRANT ALL ON %s %s TO %I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                c.oid::regclass, $2::text) AS sql
    FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
    JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
   WHERE e.extname = $1 AND d.deptype = 'e' AND c.oid = ANY (e.extconfig)`;
