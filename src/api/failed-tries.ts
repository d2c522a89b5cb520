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
