/** A DATABASE_URL that means somebody else's server. */
import type { ExternalServer } from './plan.ts';
import type { Hosts } from './url-parts.ts';

export type ExternalUrl =
  | {
      readonly kind: 'external';
      readonly user: string;
      readonly password: string | undefined;
      readonly name: string;
      readonly server: ExternalServer;
    }
  | { readonly kind: 'invalid'; readonly why: string };

const DEFAULT_PORT = 5432;
/** The last one is node-postgres's own word for `require` that asks for no certificate. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
const WEAK = new Set(['disable', 'allow', 'prefer']);

/** Refuses what libpq refuses; parameters that only other clients know (`schema`, `connection_limit`) are theirs. */
export function readExternal(
  url: string,
  said: {
    readonly user: string | undefined;
    readonly password: string | undefined;
    readonly name: string | undefined;
  },
  hosts: Hosts,
  given: ReadonlyMap<string, string>,
): ExternalUrl {
  const parameters = new Map(given);
  // libpq's courtesy to JDBC.
  if (parameters.get('ssl') === 'true' && !parameters.has('sslmode')) parameters.set('sslmode', 'require');
  const why = said.user === undefined || said.user === '' ? 'it names no user' : explainTls(parameters);
  if (why !== undefined || !said.user) return { kind: 'invalid', why: why ?? '' };
  return {
    kind: 'external',
    user: said.user,
    password: said.password || undefined,
    // As libpq: the database is called like the user where nothing is said.
    name: said.name || said.user,
    server: {
      url,
      hosts: hosts.map(({ host, hostaddr, port }) => ({
        host,
        address: hostaddr ?? host,
        port: port ?? DEFAULT_PORT,
      })),
      parameters: Object.fromEntries(parameters),
    },
  };
}

function explainTls(parameters: ReadonlyMap<string, string>): string | undefined {
  const mode = parameters.get('sslmode');
  if (mode !== undefined && !SSL_MODES.includes(mode)) {
    return `its sslmode is none of ${SSL_MODES.slice(0, -1).join(', ')}`;
  }
  if (parameters.get('sslrootcert') === 'system' && mode !== undefined && mode !== 'verify-full') {
    return `sslmode=${mode} is too weak for sslrootcert=system, which wants verify-full`;
  }
  const negotiation = parameters.get('sslnegotiation');
  if (negotiation === 'direct' && (mode === undefined || WEAK.has(mode)))
    return 'sslnegotiation=direct wants sslmode=require or stronger';
  const binding = parameters.get('channel_binding');
  if (binding !== undefined && !['disable', 'prefer', 'require'].includes(binding)) {
    return 'its channel_binding is none of disable, prefer, require';
  }
  // Files and helpers only libpq reads: half understood would be misunderstood.
  const only = ['service', 'servicefile', 'passfile', 'requirepeer'].find((name) => parameters.has(name));
  return only === undefined
    ? undefined
    : `${only}= is not understood here: name the host, user and password in it`;
}

/** `db.example.com:5432`, for people: without user and password. */
export function nameServer(server: ExternalServer): string {
  return server.hosts
    .map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
    .join(', ');
}

/** Whether the first thing a client of this URL asks for is encryption. */
export function asksForTls({ parameters }: ExternalServer): boolean {
  return parameters.sslmode !== 'disable' && parameters.sslmode !== 'allow';
}
