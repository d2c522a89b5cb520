import { type ExternalUrl, readExternal } from './external-url.ts';
import { isDatabaseName } from './scalars.ts';
import { decodePart, type Hosts, readHosts, readParameters } from './url-parts.ts';

/** What DATABASE_URL says about our own cluster, or that it means somebody else's. */
export type DatabaseUrl = ExternalUrl | { readonly kind: 'invalid'; readonly why: string } | OwnDatabaseUrl;

export interface OwnDatabaseUrl {
  readonly kind: 'ours';
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly port: number | undefined;
  readonly name: string | undefined;
  /** `schema=public&…` without the question mark; what clients of ours add to the address. */
  readonly query: string | undefined;
}

/**
 * Reads a connection URI of PostgreSQL (libpq, "Connection URIs"). No host, localhost, a loopback address or a
 * socket folder is our own cluster; any other host is external.
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url.trim());
  if (!match) return invalid('it must look like postgresql://user:password@host:port/name');
  const [, login, authority = '', path, query = ''] = match;
  const parameters = readParameters(query);
  const hosts = readHosts(authority, parameters);
  if (hosts === undefined) return invalid('its port is no number from 1 to 65535');
  const colon = login?.indexOf(':') ?? -1;
  const said = {
    user: decodePart(colon < 0 ? login : login?.slice(0, colon)) || parameters.get('user'),
    password: (colon < 0 ? undefined : decodePart(login?.slice(colon + 1))) || parameters.get('password'),
    name: decodePart(path) || parameters.get('dbname'),
  };
  const foreign = hosts.filter(({ host, hostaddr }) => !isOwnHost(hostaddr ?? host));
  if (foreign.length === 0) return readOwn(said, hosts, query);
  if (foreign.length < hosts.length) return invalid('it names this container and another host at once');
  return readExternal(url.trim(), said, foreign, parameters);
}

interface Said {
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly name: string | undefined;
}

function readOwn({ user, password, name }: Said, hosts: Hosts, query: string): DatabaseUrl {
  if (user && !isDatabaseName(user)) return invalid('its user is no name: letters, digits, _ and -');
  if (name && !isDatabaseName(name)) return invalid('its database is no name: letters, digits, _ and -');
  const parameters = new URLSearchParams(query);
  parameters.delete('host');
  return {
    kind: 'ours',
    user: user || undefined,
    password: password || undefined,
    port: hosts[0]?.port,
    name: name || undefined,
    query: parameters.size > 0 ? parameters.toString() : undefined,
  };
}

function isOwnHost(host: string): boolean {
  return (
    host === '' ||
    host === '::1' ||
    host.startsWith('/') ||
    host.startsWith('@') ||
    /^localhost$/i.test(host) ||
    /^127(\.\d{1,3}){3}$/.test(host)
  );
}

function invalid(why: string): DatabaseUrl {
  return { kind: 'invalid', why };
}
