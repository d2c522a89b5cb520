/** Where a request comes from, and under which name. Pure. */
import { isIP } from 'node:net';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a proxy in front of us adds: behind one, the peer's address says nothing about who asks. */
const PROXY_HEADERS = [
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
];
const PROXY_PREFIXES = ['x-forwarded-', 'cf-', 'x-envoy-'];

/** These and no other of 127.0.0.0/8, which may be somebody else's: a local forwarder, a DNS stub. */
const OWN = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];

/** Is it somebody on this machine, and surely so? A proxy that runs here and adds no header cannot be told apart from it. */
export function isOwnMachine(address: string | undefined, headers: Headers): boolean {
  if (address === undefined || !OWN.includes(address.toLowerCase())) return false;
  return !Object.keys(headers).some(
    (name) => PROXY_HEADERS.includes(name) || PROXY_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
}

/** `name[:port]`, `[v6][:port]`; undefined: it is none. Lower case, without the port and a final dot. */
export function readHost(header: string | undefined): string | undefined {
  const match = /^(?:\[([\da-f:.]{2,45})\]|([\w.-]{1,253}))(?::\d{1,5})?$/i.exec(header ?? '');
  const [, v6, name] = match ?? [];
  if (v6 !== undefined) return isIP(v6) === 6 ? v6.toLowerCase() : undefined;
  return name?.toLowerCase().replace(/\.$/, '') || undefined;
}

/**
 * May a browser be here under this name? A page that was rebound to our address always has a name of its own, never
 * an IP address, and localhost is nobody's to give away (RFC 6761).
 */
export function isKnownHost(host: string, allowed: readonly string[]): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isIP(host) !== 0 || allowed.includes(host);
}

/**
 * Was it sent by a page of ours, as the browser says? `Sec-Fetch-Site` is missing on plain http but for localhost
 * (Fetch Metadata: only to trustworthy addresses), so the Origin is asked next: every browser sends it with a change.
 * @param missing what it is where neither was sent
 */
export function isOwnOrigin(headers: Headers, missing: 'missing is well' | 'missing is none'): boolean {
  const site = headers['sec-fetch-site'];
  const { origin, host } = headers;
  // `null`: a sandboxed frame, a file.
  if (origin === 'null') return false;
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return missing === 'missing is well';
  const url = typeof origin === 'string' ? URL.parse(origin) : null;
  if (url === null || typeof host !== 'string') return false;
  return url.host === withoutUsualPort(host.toLowerCase(), url.protocol);
}

/** As a URL has it. */
function withoutUsualPort(host: string, protocol: string): string {
  return URL.parse(`${protocol}//${host}`)?.host ?? host;
}
