/** So much may come at once without a wait, in ms of the rate: whoever writes little never meets the rate. */
const BURST_MS = 50;

/** Bytes at a steady rate, in whatever pieces they come: what was too much at once is made good by waiting. */
export class Pace {
  /** Until when what came is paid for; ms of the monotonic clock. */
  #paid = Number.NEGATIVE_INFINITY;

  /**
   * @param rate bytes a second
   * @param longest nobody waits longer than this for what came before; ms
   * @returns for how many ms nothing more should come, 0 or more
   */
  take(bytes: number, rate: number, now: number, longest = Number.POSITIVE_INFINITY): number {
    const paid = Math.max(this.#paid, now - BURST_MS) + (bytes * 1000) / rate;
    this.#paid = Math.min(paid, now + longest);
    return Math.max(0, this.#paid - now);
  }

  /** Whether all that came is paid for. */
  isPaid(now: number): boolean {
    return this.#paid <= now;
  }
}
