/** Roles with their passwords, memberships and settings, from one server of ours to another. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { SUPERUSER } from '../postgres/layout.ts';
import { scramVerifier } from '../postgres/scram.ts';
import { quoteIdentifier, quoteLiteral } from '../postgres/sql-text.ts';

/**
 * What pg_dumpall --globals-only wrote, for a new cluster in which our superuser is there already. Memberships become
 * the superuser's grants: who granted them may not be allowed to in a newer PostgreSQL. Pure.
 */
export function adaptGlobals(text: string): string {
  const own = quoteIdentifier(SUPERUSER).replaceAll('"', '"?');
  const ours = new RegExp(`^(CREATE|ALTER) ROLE ${own}[ ;]`);
  return text
    .split('\n')
    .filter((line) => !ours.test(line) && !/^\\(un)?restrict\b/.test(line))
    .map((line) =>
      line.startsWith('GRANT ') ? line.replace(/ GRANTED BY (?:"(?:[^"]|"")*"|[^ ;"]+);$/, ';') : line,
    )
    .join('\n');
}

/** A table's data can only be loaded safely by its owner: what a constraint of the owner's calls, it calls as him. */
export interface BorrowedRole {
  readonly name: string;
  readonly password: string;
  /** Puts back its right to log in, its password and their end. */
  giveBack(): Promise<void>;
}

/** Lets us log in as a role of a cluster that nobody else can reach. */
export async function borrowRole(session: Session, name: string): Promise<BorrowedRole> {
  const { rows } = await session.query<{ login: boolean; password: string | null; until: string | null }>(
    `SELECT rolcanlogin AS login, rolpassword AS password, rolvaliduntil::text AS until
       FROM pg_catalog.pg_authid WHERE rolname = $1`,
    [name],
  );
  const before = rows[0];
  if (before === undefined) throw new Failure(`cannot be the role ${name}: it is not there`);
  const password = randomBytes(24).toString('base64url');
  const role = quoteIdentifier(name);
  await session.query(
    `ALTER ROLE ${role} LOGIN PASSWORD ${quoteLiteral(scramVerifier(password))} VALID UNTIL 'infinity'`,
  );
  return {
    name,
    password,
    giveBack: async () => {
      const secret = before.password === null ? 'NULL' : quoteLiteral(before.password);
      await session.query(
        `ALTER ROLE ${role} ${before.login ? 'LOGIN' : 'NOLOGIN'} PASSWORD ${secret} VALID UNTIL ${quoteLiteral(before.until ?? 'infinity')}`,
      );
      if (before.until !== null) return;
      // There is no command for "no end"; infinity means the same, and this is a cluster of ours alone.
      await session.query('UPDATE pg_catalog.pg_authid SET rolvaliduntil = NULL WHERE rolname = $1', [name]);
    },
  };
}

/** Every role that may own something, for the server that lets us be them. */
export async function listRoles(session: Session): Promise<string[]> {
  const { rows } = await session.query<{ rolname: string }>(
    `SELECT rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' AND rolname <> $1 ORDER BY 1`,
    [SUPERUSER],
  );
  return rows.map(({ rolname }) => rolname);
}
