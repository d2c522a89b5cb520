/** The database a bundle is made of: whatever DATABASE_URL names, also on this very host. */
import { existsSync } from 'node:fs';
import { Failure } from '../base/errors.ts';
import { readExternal } from '../config/external-url.ts';
import type { ExternalServer } from '../config/plan.ts';
import { decodePart, readHosts, readParameters } from '../config/url-parts.ts';
import type { Session } from '../postgres/connect.ts';
import { openExternalSession } from '../postgres/external-session.ts';

export interface SourceDatabase {
  /** With the one host that answered. */
  readonly server: ExternalServer;
  readonly user: string;
  readonly password: string | undefined;
  readonly name: string;
}

/** Where Debian's libpq looks when no host is named. */
const SOCKETS = '/var/run/postgresql';

/** @throws Failure where it is no address of a database; the address itself is never repeated, it holds a password. */
export function readSourceUrl(url: string): SourceDatabase {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url.trim());
  if (!match) throw badUrl('it must look like postgresql://user:password@host:port/name');
  const [, login, authority = '', path, query = ''] = match;
  const parameters = readParameters(query);
  const hosts = readHosts(authority, parameters);
  if (hosts === undefined) throw badUrl('its port is no number from 1 to 65535');
  const colon = login?.indexOf(':') ?? -1;
  const said = {
    user: decodePart(colon < 0 ? login : login?.slice(0, colon)) || parameters.get('user'),
    password: (colon < 0 ? undefined : decodePart(login?.slice(colon + 1))) || parameters.get('password'),
    name: decodePart(path) || parameters.get('dbname'),
  };
  const named = hosts.map((each) => ({
    ...each,
    host: each.host || (existsSync(SOCKETS) ? SOCKETS : 'localhost'),
  }));
  const read = readExternal(url.trim(), said, named, parameters);
  if (read.kind === 'invalid') throw badUrl(read.why);
  return { server: read.server, user: read.user, password: read.password, name: read.name };
}

/** The first host that lets us in, and a session with it; what follows must reach the same one. The caller ends it. */
export async function connectSource(
  source: SourceDatabase,
): Promise<{ readonly source: SourceDatabase; readonly session: Session }> {
  let first: unknown;
  for (const host of source.server.hosts) {
    const server = { ...source.server, hosts: [host] };
    try {
      const { user, password, name: database } = source;
      const session = await openExternalSession(server, { user, password, database });
      return { source: { ...source, server }, session };
    } catch (error) {
      first ??= error;
    }
  }
  throw first ?? badUrl('it names no host');
}

function badUrl(why: string): Failure {
  return new Failure(`cannot read DATABASE_URL: ${why}`, {
    remedy: 'set DATABASE_URL, or DATABASE_URL_FILE to a file that holds it, as the application has it',
  });
}
