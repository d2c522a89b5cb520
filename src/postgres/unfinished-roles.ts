/**
 * Roles an import needs before it is whole: a grant names them. They can do nothing and are marked, until the
 * transaction that makes the import real makes them real too; whatever ends in between, a sweep takes them away.
 */
import { randomBytes } from 'node:crypto';
import type { Session } from './connect.ts';
import { scramVerifier } from './scram.ts';
import { quoteIdentifier, quoteLiteral } from './sql-text.ts';

const MARK = 'bulkhead: import not finished';

/** Returns those that were not there. They cannot log in. */
export async function makeUnfinishedRoles(session: Session, names: readonly string[]): Promise<string[]> {
  const { rows } = await session.query<{ rolname: string }>(
    'SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)',
    [names],
  );
  const there = new Set(rows.map(({ rolname }) => rolname));
  const missing = names.filter((name) => !there.has(name));
  for (const name of missing) await makeMarked(session, name, 'NOLOGIN');
  return missing;
}

/** A role for one import, which logs in by the password that is returned, and owns what it makes. */
export async function makeImporter(
  session: Session,
): Promise<{ readonly user: string; readonly password: string }> {
  const user = `bulkhead_importer_${randomBytes(4).toString('hex')}`;
  const password = randomBytes(32).toString('base64url');
  await makeMarked(session, user, `LOGIN PASSWORD ${quoteLiteral(scramVerifier(password))}`);
  return { user, password };
}

/** Takes the mark away: from here on it is a role like any other. Part of the transaction that makes it so. */
export async function finishRole(session: Session, name: string, comment: string | undefined): Promise<void> {
  await session.query(`COMMENT ON ROLE ${quoteIdentifier(name)} IS ${comment ?? 'NULL'}`);
}

/** To be called when the scratch databases are dropped: nothing else can depend on them. */
export async function dropUnfinishedRoles(session: Session): Promise<void> {
  const { rows } = await session.query<{ rolname: string }>(
    `SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.shobj_description(oid, 'pg_authid') = $1`,
    [MARK],
  );
  for (const { rolname } of rows) await session.query(`DROP ROLE ${quoteIdentifier(rolname)}`);
}

/** In one statement, and so in one transaction: a role of ours is never there without its mark. */
async function makeMarked(session: Session, name: string, rights: string): Promise<void> {
  await session.query(
    `CREATE ROLE ${quoteIdentifier(name)} ${rights}; COMMENT ON ROLE ${quoteIdentifier(name)} IS ${quoteLiteral(MARK)}`,
  );
}
