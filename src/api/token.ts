import { createHash, timingSafeEqual } from 'node:crypto';

/** The one token, kept as its hash: comparing takes the same time wherever two differ, and however long they are. */
export interface TokenCheck {
  isRight(given: string): boolean;
  /** Names the token in the audit log without telling it. */
  readonly id: string;
}

export function createTokenCheck(token: string): TokenCheck {
  const hash = hashOf(token);
  return {
    isRight: (given) => timingSafeEqual(hashOf(given), hash),
    // A second hash over another text: what stands in a log is no part of what is compared.
    id: hashOf(`bulkhead token id ${token}`).toString('hex').slice(0, 8),
  };
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Of `Authorization: Bearer …`; undefined where there is none. */
export function readBearer(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}

const WINDOW_MS = 60_000;
const MOST_ADDRESSES = 1000;

/** Wrong tokens of the last minute, by address. */
export interface FailedTries {
  /** Seconds this address must wait before a wrong token of it is counted again; undefined: it need not. */
  waitOf(address: string): number | undefined;
  count(address: string): void;
}

/** @param most in a minute; the next is told to wait. @param now milliseconds of any clock that only goes on */
export function createFailedTries(most: number, now: () => number): FailedTries {
  const tries = new Map<string, number[]>();
  const recent = (address: string): number[] =>
    (tries.get(address) ?? []).filter((at) => at > now() - WINDOW_MS);
  return {
    waitOf(address) {
      const times = recent(address);
      const oldest = times.at(-most);
      return oldest === undefined ? undefined : Math.max(1, Math.ceil((oldest + WINDOW_MS - now()) / 1000));
    },
    count(address) {
      const times = [...recent(address), now()].slice(-most);
      // Put at the end again: the one that failed longest ago is the first to be forgotten.
      tries.delete(address);
      tries.set(address, times);
      const [first] = tries.keys();
      if (tries.size > MOST_ADDRESSES && first !== undefined) tries.delete(first);
    },
  };
}
