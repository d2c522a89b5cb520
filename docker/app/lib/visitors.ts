import { createHash, randomBytes } from 'node:crypto';

/** Who came within so long is active. */
export const ACTIVE_MS = 5 * 60_000;
/** More are not told apart: a flood of invented addresses shall not fill the memory. */
export const MOST_VISITORS = 10_000;

/**
 * How many different visitors came lately: a visitor is an address with a browser's name, so two people behind one
 * address count as two only where their browsers differ, and robots count. Nobody is kept: only a hash with a key that
 * this process threw of itself, in memory, for five minutes.
 */
export class Visitors {
  readonly #key = randomBytes(16);
  /** When each was last seen, the longest ago first. */
  readonly #seen = new Map<string, number>();

  /** @param nowMs of a clock that only goes on */
  saw(address: string, browser: string, nowMs: number): void {
    const hash = createHash('sha256').update(this.#key).update(`${address}\n${browser}`).digest('base64');
    // Put in anew, so that the order stays.
    if (!this.#seen.delete(hash) && this.#seen.size >= MOST_VISITORS) this.#forget(nowMs);
    if (this.#seen.size < MOST_VISITORS) this.#seen.set(hash, nowMs);
  }

  count(nowMs: number): number {
    this.#forget(nowMs);
    return this.#seen.size;
  }

  #forget(nowMs: number): void {
    for (const [hash, at] of this.#seen) {
      if (nowMs - at < ACTIVE_MS) return;
      this.#seen.delete(hash);
    }
  }
}
