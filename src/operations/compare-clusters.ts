/** Whether two servers hold the same: every row of every table of every database, and where sequences stand. */
import { Failure } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { compareFingerprints, fingerprintTables, type TableFingerprint } from '../postgres/fingerprint.ts';
import type { PrivateServer } from '../postgres/private-server.ts';

/** Rows compared. Throws a Failure that names what differs. */
export async function compareDatabase(
  name: string,
  from: PrivateServer,
  to: PrivateServer,
  ignored: readonly string[] = [],
): Promise<number> {
  const [expected, found] = await Promise.all([
    readContent(from, name, ignored),
    readContent(to, name, ignored),
  ]);
  const differences = compareFingerprints(expected, found);
  if (differences.length > 0) {
    const more = differences.length > 3 ? `; and ${differences.length - 3} more` : '';
    throw new Failure(
      `the new ${name} is not like the old one: ${differences.slice(0, 3).join('; ')}${more}`,
    );
  }
  return expected.reduce((sum, { rows }) => sum + rows, 0);
}

async function readContent(
  server: PrivateServer,
  name: string,
  ignored: readonly string[],
): Promise<TableFingerprint[]> {
  const session = await server.connect(name);
  try {
    const tables = await fingerprintTables(session);
    return [...tables.filter(({ table }) => !ignored.includes(table)), ...(await readSequences(session))];
  } finally {
    await session.end();
  }
}

async function readSequences(session: Session): Promise<TableFingerprint[]> {
  const { rows } = await session.query<{ name: string; at: string | null }>(
    `SELECT format('%I.%I', schemaname, sequencename) AS name, last_value::text AS at FROM pg_catalog.pg_sequences
      ORDER BY 1`,
  );
  return rows.map(({ name, at }) => ({ table: `sequence ${name}`, rows: 1, hash: at ?? '' }));
}
