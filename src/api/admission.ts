/** Who may do what: every request passes here before anything of it is read, those that match no route as well. */
import type { IncomingMessage } from 'node:http';
import { type Caller, LOOPBACK, unauthorized } from './caller.ts';
import { createFailedTries } from './failed-tries.ts';
import { isKnownHost, isOwnMachine, isOwnOrigin, readHost } from './peer.ts';
import { Problem } from './problem.ts';
import { readCookie, type Sessions } from './sessions.ts';
import type { KnownToken, TokenBook } from './token-book.ts';

export interface AdmissionRules {
  readonly allowedHosts: readonly string[];
  readonly readOnly: boolean;
}

export interface AdmissionPorts {
  readonly tokens: TokenBook;
  readonly sessions: Sessions;
  /** Milliseconds of a clock that only goes on. */
  now(): number;
}

export interface Admission {
  /** Who it is; throws a Problem where it may not. What it may is left to the route. */
  admit(request: IncomingMessage): Promise<Caller>;
  /** Whose token this is; throws a Problem where it is wrong. */
  login(request: IncomingMessage, token: string): Promise<KnownToken>;
}

/** Wrong tokens an address may show in a minute. */
const MOST_FAILURES = 10;
const HARMLESS = ['GET', 'HEAD', 'OPTIONS'];
/** What a page of another origin cannot send without being asked first, and no form at all. */
const CONSOLE_HEADER = 'x-bulkhead-console';
/** The one address that is there for who has no right yet. */
export const SESSION_PATH = '/session';

/** Could it change something? */
export function isMutation(method: string | undefined): boolean {
  return !HARMLESS.includes(method ?? '');
}

export function createAdmission(rules: AdmissionRules, { tokens, sessions, now }: AdmissionPorts): Admission {
  const failures = createFailedTries(MOST_FAILURES, now);

  async function requireToken(request: IncomingMessage, given: string): Promise<KnownToken> {
    // Before the count: whoever shares an address with one that guesses (a gateway, a proxy) is not locked out by it, and
    // what is to be guessed is too long for any number of tries.
    const known = await tokens.find(given);
    if (known !== undefined) return known;
    const address = request.socket.remoteAddress ?? '';
    const wait = failures.waitOf(address);
    if (wait !== undefined) {
      throw new Problem(429, 'too-many-failures', `too many wrong tokens came from ${address}`, {
        remedy: `wait ${wait} s`,
        headers: { 'retry-after': String(wait) },
      });
    }
    failures.count(address);
    throw unauthorized('the token is wrong');
  }

  /** By what it shows; undefined: nothing. A wrong token is thrown back, a cookie that has ended is none. */
  async function identify(request: IncomingMessage): Promise<Caller | undefined> {
    const { authorization, cookie: jar } = request.headers;
    const bearer = readBearer(authorization);
    if (bearer !== undefined) {
      const token = await requireToken(request, bearer);
      return { role: token.role, actor: `token ${token.name}`, token, by: 'token' };
    }
    const cookie = readCookie(jar);
    const session = cookie === undefined ? undefined : sessions.find(cookie);
    if (cookie === undefined || session === undefined) return undefined;
    const token = await tokens.stillThere(session.token);
    if (token === undefined) {
      sessions.end(cookie);
      return undefined;
    }
    const { role, name } = token;
    return {
      role,
      actor: `session of ${name}`,
      token,
      by: 'session',
      cookie,
      endsAt: session.endsAt,
    };
  }

  function refuseMutation({ headers, method, url }: IncomingMessage): void {
    const isLogin = url === SESSION_PATH;
    if (rules.readOnly && !isLogin) {
      throw new Problem(403, 'read-only', 'nothing may be changed here', {
        remedy: 'set `api: read_only: false` in the plan',
      });
    }
    // No form can send a DELETE, and no page of another site without being asked first.
    if (isJson(headers['content-type']) || (method === 'DELETE' && !hasBody(headers))) return;
    throw new Problem(415, 'not-json', 'a request that changes something must be application/json', {
      remedy: 'send Content-Type: application/json, also with a POST that has no body',
    });
  }

  return {
    login: requireToken,
    async admit(request) {
      const { headers, method, url } = request;
      if (!url?.startsWith('/')) throw new Problem(400, 'bad-target', 'the address is not a path');
      const host = oneHost(request);
      if (host === undefined) throw new Problem(403, 'bad-host', 'the Host header is missing or is no host');
      const isLogin = method === 'POST' && url === SESSION_PATH;
      const caller = await identify(request);
      // A cookie is sent to the name it was made for alone: it shows the same as a token does. A login shows one.
      if (caller === undefined && !isLogin && !isKnownHost(host, rules.allowedHosts)) {
        throw new Problem(403, 'unknown-host', 'this name is not one of ours', {
          remedy: 'add it to `api: allowed_hosts:` of the plan, or send the token',
        });
      }
      if (isLogin) {
        if (!isOwnOrigin(headers, 'missing is well')) throw crossSite();
        refuseMutation(request);
        return caller ?? STRANGER;
      }
      // Whatever a request says of where it comes from, any program can write: a change is open to the token alone.
      if (caller === undefined && isMutation(method))
        throw unauthorized('a request that changes something needs the token');
      if (caller === undefined && !isOwnMachine(request.socket.remoteAddress, headers))
        throw unauthorized('a token is needed');
      if (isMutation(method)) {
        // A browser sends a cookie of ours for whatever page it shows; a token only a program of ours sends.
        if (caller?.by === 'session') refuseForgery(headers);
        refuseMutation(request);
      }
      // A browser on this machine asks for whatever a page tells it to. What is no browser says nothing of pages; a page
      // of another site cannot send a token without being asked first.
      if (caller?.by !== 'token' && !isOwnOrigin(headers, 'missing is well')) throw crossSite();
      return caller ?? LOOPBACK;
    },
  };
}

/** Somebody who wants to log in. */
const STRANGER: Caller = { ...LOOPBACK, actor: 'nobody' };

const CONSOLE_REMEDY =
  'a page of ours sends X-Bulkhead-Console: 1, and its browser the Origin; what is no browser sends Authorization: Bearer TOKEN instead of a cookie';

function refuseForgery(headers: IncomingMessage['headers']): void {
  if (!isOwnOrigin(headers, 'missing is none')) throw crossSite(CONSOLE_REMEDY);
  if (headers[CONSOLE_HEADER] !== undefined) return;
  throw new Problem(403, 'no-console-header', 'a change by a session needs the header X-Bulkhead-Console', {
    remedy: CONSOLE_REMEDY,
  });
}

function crossSite(remedy?: string): Problem {
  const detail = 'the request comes from a page that is not ours';
  return new Problem(403, 'cross-site', detail, remedy === undefined ? {} : { remedy });
}

/** Two of them, and who reads which one is anybody's guess. */
function oneHost({ rawHeaders, headers }: IncomingMessage): string | undefined {
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  return count === 1 ? readHost(headers.host) : undefined;
}

function hasBody(headers: IncomingMessage['headers']): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

function isJson(type: string | undefined): boolean {
  return /^application\/json *(;.*)?$/i.test(type ?? '');
}

/** Of `Authorization: Bearer …`; undefined where there is none. */
function readBearer(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}
