/** What must be there before a dump is read into a server that is not ours, where nothing is made for it. */
import { Failure } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import type { Inspected } from './inspect-sql.ts';

/** Whether the server has them at all; whether a role may create one, managed servers decide by rules of their own. */
export async function requireAvailable(
  session: Session,
  dump: string,
  { extensions }: Inspected,
): Promise<void> {
  const { rows } = await session.query<{ name: string }>(
    'SELECT name FROM pg_catalog.pg_available_extensions WHERE name = ANY ($1)',
    [[...extensions.keys()]],
  );
  const missing = [...extensions.keys()].filter((name) => !rows.some((row) => row.name === name));
  if (missing.length === 0) return;
  throw new Failure(`cannot import ${dump}: that server does not have ${missing.join(', ')}`, {
    remedy:
      'install the extension there, or leave it out with pg_dump --exclude-extension; nothing was changed',
  });
}

/** No role is made either: who grants what to whom is its owner's to say. */
export async function requireRoles(session: Session, dump: string, { roles }: Inspected): Promise<void> {
  const { rows } = await session.query<{ rolname: string }>(
    'SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)',
    [[...roles]],
  );
  const missing = [...roles].filter((name) => !rows.some(({ rolname }) => rolname === name));
  if (missing.length === 0) return;
  throw new Failure(`cannot import ${dump}: it grants rights to ${missing.join(', ')}, who are not there`, {
    remedy:
      'create those roles on that server, or make the dump with pg_dump --no-privileges; nothing was changed',
  });
}
