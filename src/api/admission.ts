/** Who may do what: every request passes here before anything of it is read, those that match no route as well. */
import type { IncomingMessage } from 'node:http';
import { isKnownHost, isOwnMachine, readHost } from './peer.ts';
import { Problem } from './problem.ts';
import { createFailedTries, createTokenCheck, readBearer } from './token.ts';

export interface AdmissionRules {
  readonly token: string;
  readonly allowedHosts: readonly string[];
  readonly readOnly: boolean;
}

export interface Admission {
  /** Who it is, for the audit log; throws a Problem where it may not. */
  admit(request: IncomingMessage): string;
}

/** Wrong tokens an address may show in a minute. */
const MOST_FAILURES = 10;
const HARMLESS = ['GET', 'HEAD', 'OPTIONS'];

/** Could it change something? */
export function isMutation(method: string | undefined): boolean {
  return !HARMLESS.includes(method ?? '');
}

export function createAdmission(rules: AdmissionRules, now: () => number): Admission {
  const token = createTokenCheck(rules.token);
  const failures = createFailedTries(MOST_FAILURES, now);

  /** True: it showed the token; false: it showed none. A wrong one is thrown back. */
  function showsToken(request: IncomingMessage): boolean {
    const given = readBearer(request.headers.authorization);
    if (given === undefined) return false;
    // Before the count: whoever shares an address with one that guesses (a gateway, a proxy) is not locked out by it, and
    // what is to be guessed is too long for any number of tries.
    if (token.isRight(given)) return true;
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

  return {
    admit(request) {
      const { headers, method } = request;
      if (!request.url?.startsWith('/')) throw new Problem(400, 'bad-target', 'the address is not a path');
      const host = oneHost(request);
      if (host === undefined) throw new Problem(403, 'bad-host', 'the Host header is missing or is no host');
      const hasToken = showsToken(request);
      if (!hasToken && !isKnownHost(host, rules.allowedHosts)) {
        throw new Problem(403, 'unknown-host', 'this name is not one of ours', {
          remedy: 'add it to `api: allowed_hosts:` of the plan, or send the token',
        });
      }
      // Whatever a request says of where it comes from, any program can write: a change is open to the token alone.
      if (!hasToken && isMutation(method))
        throw unauthorized('a request that changes something needs the token');
      if (!hasToken && !isOwnMachine(request.socket.remoteAddress, headers))
        throw unauthorized('a token is needed');
      if (isMutation(method)) {
        if (rules.readOnly) {
          throw new Problem(403, 'read-only', 'nothing may be changed here', {
            remedy: 'set `api: read_only: false` in the plan',
          });
        }
        if (!isJson(headers['content-type'])) {
          throw new Problem(415, 'not-json', 'a request that changes something must be application/json', {
            remedy: 'send Content-Type: application/json, also without a body',
          });
        }
      }
      return hasToken ? `token ${token.id}` : 'loopback';
    },
  };
}

/** Two of them, and who reads which one is anybody's guess. */
function oneHost({ rawHeaders, headers }: IncomingMessage): string | undefined {
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  return count === 1 ? readHost(headers.host) : undefined;
}

function isJson(type: string | undefined): boolean {
  return /^application\/json *(;.*)?$/i.test(type ?? '');
}

function unauthorized(detail: string): Problem {
  return new Problem(401, 'unauthorized', detail, {
    remedy:
      'send Authorization: Bearer TOKEN; the token is BULKHEAD_TOKEN, or in secrets/token of the volume',
    headers: { 'www-authenticate': 'Bearer realm="bulkhead"' },
  });
}
