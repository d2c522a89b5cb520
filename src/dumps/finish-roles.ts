/** Makes the roles of a cluster's dump what they were, inside the transaction that makes the import real. */
import { Failure, messageOf } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { SUPERUSER } from '../postgres/layout.ts';
import { scramVerifier } from '../postgres/scram.ts';
import { quoteIdentifier, quoteLiteral } from '../postgres/sql-text.ts';
import { finishRole } from '../postgres/unfinished-roles.ts';
import type { Job } from '../program/job.ts';
import type { ClusterFacts } from './cluster-inspection.ts';
import type { DumpedRole, Membership, RoleSetting } from './cluster-roles.ts';

export interface FinishOptions {
  readonly job: Job;
  /** Those that were not there before. */
  readonly made: readonly string[];
  /** The names of its databases here, by those in the dump. */
  readonly names: ReadonlyMap<string, string>;
}

/** Everything is put together from values: no text of the dump runs as the superuser. */
export async function finishRoles(
  session: Session,
  { roles }: ClusterFacts,
  { job, made, names }: FinishOptions,
): Promise<void> {
  const trusted = job.plan.importTrusted === true;
  const stripped: string[] = [];
  for (const name of made) {
    const role = roles.roles.get(name);
    await finishRole(session, name, role?.comment);
    if (!role) continue;
    await session.query(`ALTER ROLE ${quoteIdentifier(name)} ${attributes(role, trusted)}`);
    if (!trusted && role.elevated.length > 0) stripped.push(`${name} (${role.elevated.join(', ')})`);
  }
  if (stripped.length > 0) job.note(`imported without the rights of a superuser: ${stripped.join('; ')}`);
  for (const membership of roles.memberships) await grant(session, membership, { job, made, trusted });
  for (const setting of roles.settings) await set(session, setting, { job, made, names, trusted });
  for (const [what, count] of roles.leftOut) job.say(`left out of the dump: ${count} × ${what}`);
}

function attributes(role: DumpedRole, trusted: boolean): string {
  const { login, inherit, password, connectionLimit, validUntil } = role;
  const words = [
    login ? 'LOGIN' : 'NOLOGIN',
    inherit ? 'INHERIT' : 'NOINHERIT',
    ...(trusted ? role.elevated : []),
    ...(connectionLimit === undefined ? [] : [`CONNECTION LIMIT ${Math.trunc(connectionLimit)}`]),
    ...(validUntil === undefined ? [] : [`VALID UNTIL ${validUntil}`]),
    ...(password === undefined ? [] : [`PASSWORD ${quoteLiteral(keptVerifier(password))}`]),
  ];
  return words.join(' ');
}

/** A hash stays what it is, and its password goes on to work; a password in clear, of a very old dump, becomes a hash. */
function keptVerifier(password: string): string {
  const isVerifier =
    /^SCRAM-SHA-256\$\d+:[^$]+\$[^:]+:.+$/.test(password) || /^md5[0-9a-f]{32}$/.test(password);
  return isVerifier ? password : scramVerifier(password);
}

/**
 * A role that was there before may have any right, that of a superuser too (an adopted cluster brings its `postgres`), and
 * an untrusted dump lends none of it. The application's own role has no rights to lend.
 */
async function grant(
  session: Session,
  { role, member, admin }: Membership,
  { job, made, trusted }: Pick<FinishOptions, 'job' | 'made'> & { readonly trusted: boolean },
): Promise<void> {
  // The server's own roles read files and run programs, and our superuser is not to be lent.
  if (role === SUPERUSER || member === SUPERUSER) return;
  if (!trusted && !made.includes(role) && role !== job.plan.user) {
    if (await isGranted(session, { role, member, admin })) return;
    return job.note(`${member} is imported without the rights of ${role}`);
  }
  const option = admin ? ' WITH ADMIN OPTION' : '';
  await session.query(`GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(member)}${option}`);
}

/** Of the same dump, imported a second time: there is nothing to tell. */
async function isGranted(session: Session, { role, member, admin }: Membership): Promise<boolean> {
  const { rows } = await session.query(
    `SELECT FROM pg_catalog.pg_auth_members m
       JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
       JOIN pg_catalog.pg_roles w ON w.oid = m.member
      WHERE r.rolname = $1 AND w.rolname = $2 AND (m.admin_option OR NOT $3)`,
    [role, member, admin],
  );
  return rows.length > 0;
}

async function set(
  session: Session,
  { role, database, name, values }: RoleSetting,
  { job, made, names, trusted }: FinishOptions & { readonly trusted: boolean },
): Promise<void> {
  const own = role === job.plan.user;
  const here = database === undefined ? undefined : names.get(database);
  if ((!made.includes(role) && !own) || (database !== undefined && here === undefined)) return;
  const { rows } = await session.query<{ context: string }>(
    'SELECT context FROM pg_catalog.pg_settings WHERE name = $1',
    [name],
  );
  const context = rows[0]?.context;
  const free = context === 'user' || (context === undefined && name.includes('.'));
  if (!free && !trusted) return job.note(`the setting ${name} of ${role} needs a superuser, and is left out`);
  const where = here === undefined ? '' : ` IN DATABASE ${quoteIdentifier(here)}`;
  const sql = `ALTER ROLE ${quoteIdentifier(role)}${where} SET ${quoteIdentifier(name)} TO ${values.join(', ')}`;
  try {
    await session.query(sql);
  } catch (cause) {
    throw new Failure(`cannot import the setting ${name} of the role ${role}: ${messageOf(cause)}`, {
      remedy: 'take that ALTER ROLE out of the dump',
      cause,
    });
  }
}
