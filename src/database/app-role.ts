/** The role the application logs in as: made once, made right at every boot. */
import type { Session } from '../postgres/connect.ts';
import { matchesVerifier, scramVerifier } from '../postgres/scram.ts';
import { quoteIdentifier, quoteLiteral } from '../postgres/sql-text.ts';

interface RoleRow {
  readonly rolcanlogin: boolean;
  readonly elevated: boolean;
  readonly rolpassword: string | null;
}

const RIGHTS = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';

/** Returns what was changed, for the log; undefined where nothing had to be. */
export async function reconcileRole(
  session: Session,
  user: string,
  password: string,
): Promise<string | undefined> {
  const { rows } = await session.query<RoleRow>(
    `SELECT rolcanlogin, rolpassword,
            rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls AS elevated
       FROM pg_catalog.pg_authid WHERE rolname = $1`,
    [user],
  );
  const role = rows[0];
  const name = quoteIdentifier(user);
  if (!role) {
    await session.query(`CREATE ROLE ${name} ${RIGHTS} PASSWORD ${quoteLiteral(scramVerifier(password))}`);
    return `created the role ${user}`;
  }
  const samePassword = role.rolpassword !== null && matchesVerifier(password, role.rolpassword);
  if (role.rolcanlogin && !role.elevated && samePassword) return undefined;
  const change = samePassword ? '' : ` PASSWORD ${quoteLiteral(scramVerifier(password))}`;
  await session.query(`ALTER ROLE ${name} ${RIGHTS}${change}`);
  return samePassword
    ? `took extra rights from the role ${user}`
    : `gave the role ${user} its configured password`;
}
