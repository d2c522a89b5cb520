/**
 * Logins of browsers: a cookie stands for a token, for EventSource can send no header of its own. They live in memory
 * alone, end with their token, and a restart of the API ends all of them.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hashOf, type KnownToken } from './token-book.ts';

export interface Session {
  readonly token: KnownToken;
  /** ms since the epoch: when it ends whatever happens. */
  readonly endsAt: number;
}

export interface Sessions {
  /** Begins one; returns the value of its cookie. */
  open(token: KnownToken): { readonly value: string; readonly session: Session };
  /** Of the cookie; undefined: there is none, or it has ended. Each use keeps it awake. */
  find(value: string): Session | undefined;
  /** Whether it is still there; keeps nothing awake. */
  has(value: string): boolean;
  /** Ends it; true: there was one. */
  end(value: string): boolean;
}

/** A day's work, and a pause at noon. */
const LONGEST_MS = 12 * 3_600_000;
const IDLE_MS = 2 * 3_600_000;
/** More at once: the one that was used longest ago ends. */
const MOST_SESSIONS = 256;
const BYTES = 32;

interface Kept extends Session {
  usedAt: number;
}

/** @param now ms since the epoch */
export function createSessions(now: () => number): Sessions {
  // By hash: who reads our memory in a dump has no cookie of anybody. In the order of their last use.
  const kept = new Map<string, Kept>();
  const keyOf = (value: string): string => hashOf(value).toString('base64url');
  return {
    open(token) {
      const value = randomBytes(BYTES).toString('base64url');
      const session = { token, endsAt: now() + LONGEST_MS, usedAt: now() };
      kept.set(keyOf(value), session);
      const [first] = kept.keys();
      if (kept.size > MOST_SESSIONS && first !== undefined) kept.delete(first);
      return { value, session };
    },
    find(value) {
      const key = keyOf(value);
      const session = kept.get(key);
      if (session === undefined) return undefined;
      kept.delete(key);
      if (now() >= session.endsAt || now() - session.usedAt > IDLE_MS) return undefined;
      session.usedAt = now();
      kept.set(key, session);
      return session;
    },
    has: (value) => kept.has(keyOf(value)),
    end: (value) => kept.delete(keyOf(value)),
  };
}

/**
 * `__Host-`: only over https, never of another subdomain (RFC 6265bis, 4.1.3.2). Over plain http, as on a LAN, no
 * browser would keep such a cookie.
 */
const SECURE = '__Host-bulkhead';
const PLAIN = 'bulkhead';

/** The cookie of a session; undefined: none was sent. */
export function readCookie(header: string | undefined): string | undefined {
  const found = new Map(
    (header ?? '').split(';').map((pair): [string, string] => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
  return found.get(SECURE) ?? found.get(PLAIN);
}

/** @param maxAge in ms; 0: it is taken away */
export function writeCookie(value: string, maxAge: number, isHttps: boolean): string {
  return [
    `${isHttps ? SECURE : PLAIN}=${value}`,
    'Path=/',
    `Max-Age=${Math.floor(maxAge / 1000)}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isHttps ? ['Secure'] : []),
  ].join('; ');
}

/**
 * Does the browser speak https, to us or to a proxy before us? Either may be made up: who does so is given a cookie
 * that its own browser does not send back.
 */
export function isHttps({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const proto = headers['x-forwarded-proto'];
  return (
    String(proto ?? '')
      .split(',')[0]
      ?.trim()
      .toLowerCase() === 'https' ||
    headers.origin?.startsWith('https://') === true ||
    /(^|[;,\s])proto="?https/i.test(headers.forwarded ?? '')
  );
}
