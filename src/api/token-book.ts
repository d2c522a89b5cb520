/** Every token that opens the API, as hashes, and whose it is. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { MAIN_TOKEN, type Role } from '../config/roles.ts';
import type { StoredToken } from '../protocol/tokens.ts';

export interface KnownToken {
  readonly name: string;
  readonly role: Role;
  /** ms since the epoch; undefined: it does not end. */
  readonly endsAt: number | undefined;
}

export interface TokenBook {
  /** Whose value this is; undefined: nobody's. Takes the same time for each of them and wherever two differ. */
  find(given: string): Promise<KnownToken | undefined>;
  /** The same token later on, by what `find` gave; undefined: it was revoked, has ended, or has another value. */
  stillThere(known: KnownToken): Promise<KnownToken | undefined>;
}

interface Entry extends KnownToken {
  readonly hash: Buffer;
}

export interface TokenSource {
  /** The value of the main one. */
  readonly main: string;
  /** Of the plan, with their values. */
  readonly given: readonly { readonly name: string; readonly role: Role; readonly token: string }[];
  /** Those that people made; rejects where nobody can tell now. */
  stored(): Promise<readonly StoredToken[]>;
  /** Milliseconds of a clock that only goes on. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallClock(): number;
}

/** So long after one is revoked it may still open something. */
const FRESH_MS = 1000;

export function createTokenBook(source: TokenSource): TokenBook {
  const { main, given, now } = source;
  const fixed: readonly Entry[] = [
    { name: MAIN_TOKEN, role: 'admin', endsAt: undefined, hash: hashOf(main) },
    ...given.map(({ name, role, token }) => ({ name, role, endsAt: undefined, hash: hashOf(token) })),
  ];
  let made: readonly Entry[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  /** What nobody can tell stays as it was told last: PID 1 that restarts locks nobody out. */
  function refresh(): Promise<void> {
    if (now() - readAt < FRESH_MS) return Promise.resolve();
    reading ??= source
      .stored()
      .then((tokens) => {
        made = tokens.map(entryOf);
        readAt = now();
      })
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  }

  function look(hash: Buffer): Entry | undefined {
    let found: Entry | undefined;
    for (const entry of [...fixed, ...made]) if (timingSafeEqual(entry.hash, hash)) found ??= entry;
    return found === undefined || hasEnded(found) ? undefined : found;
  }

  function hasEnded({ endsAt }: KnownToken): boolean {
    return endsAt !== undefined && endsAt <= source.wallClock();
  }

  return {
    async find(value) {
      const hash = hashOf(value);
      const isFixed = look(hash);
      // The most used one costs no question.
      if (isFixed !== undefined && fixed.includes(isFixed)) return isFixed;
      await refresh();
      return look(hash);
    },
    async stillThere(known) {
      if ((fixed as readonly KnownToken[]).includes(known)) return known;
      await refresh();
      const { hash } = known as Entry;
      return look(hash);
    },
  };
}

function entryOf({ name, role, sha256, expiresAt }: StoredToken): Entry {
  const endsAt = expiresAt === undefined ? undefined : Date.parse(expiresAt);
  return { name, role, endsAt, hash: Buffer.from(sha256, 'hex') };
}

/** SHA-256: what is hashed has at least 20 characters of chance, and needs no slow hash. */
export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
