import { isDatabaseName } from './scalars.ts';

/** What DATABASE_URL says about our own cluster, or that it means somebody else's. */
export type DatabaseUrl =
  | { readonly kind: 'external'; readonly host: string }
  | { readonly kind: 'invalid'; readonly why: string }
  | OwnDatabaseUrl;

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
  const [, login, authority = '', path, query] = match;
  const parameters = new URLSearchParams(query ?? '');
  const { host, port, broken } = splitHost(authority);
  const where = decode(host) || parameters.get('host') || '';
  if (broken || !(port === undefined || (port >= 1 && port <= 65_535)))
    return invalid('its port is no number from 1 to 65535');
  if (!isOwnHost(where)) return { kind: 'external', host: where };
  const colon = login?.indexOf(':') ?? -1;
  const user = decode(colon < 0 ? login : login?.slice(0, colon));
  const password = colon < 0 ? undefined : decode(login?.slice(colon + 1));
  const name = decode(path);
  if (user && !isDatabaseName(user)) return invalid('its user is no name: letters, digits, _ and -');
  if (name && !isDatabaseName(name)) return invalid('its database is no name: letters, digits, _ and -');
  parameters.delete('host');
  return {
    kind: 'ours',
    user: user || undefined,
    password: password || undefined,
    port,
    name: name || undefined,
    query: parameters.size > 0 ? parameters.toString() : undefined,
  };
}

function splitHost(authority: string): { host: string; port: number | undefined; broken: boolean } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority);
  if (!match) return { host: authority, port: undefined, broken: !authority.includes(',') };
  const digits = match[2];
  const port = digits === undefined || digits === '' ? undefined : Number(digits);
  return {
    host: (match[1] ?? '').replace(/^\[(.*)\]$/, '$1'),
    port,
    broken: port !== undefined && !Number.isInteger(port),
  };
}

function isOwnHost(host: string): boolean {
  return (
    host === '' ||
    host === '::1' ||
    host.startsWith('/') ||
    /^localhost$/i.test(host) ||
    /^127(\.\d{1,3}){3}$/.test(host)
  );
}

function decode(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    return text ?? '';
  }
}

function invalid(why: string): DatabaseUrl {
  return { kind: 'invalid', why };
}
