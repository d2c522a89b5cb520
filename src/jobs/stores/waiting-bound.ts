/** Keeps a store that is not ours alone from growing without end, and does not count anew for every job. */
import { StoreRefusal } from '../store.ts';

/** How long a count is believed, but for what was added here. */
const COUNTED_MS = 1000;

export class WaitingBound {
  readonly #most: number;
  readonly #read: () => Promise<number>;
  #count = 0;
  #at = Number.NEGATIVE_INFINITY;

  /** `read` counts the waiting jobs, `most` at most. */
  constructor(most: number, read: () => Promise<number>) {
    this.#most = most;
    this.#read = read;
  }

  /** @throws StoreRefusal `full`, and only on a fresh count */
  async require(): Promise<void> {
    const now = performance.now();
    if (this.#count < this.#most && now - this.#at < COUNTED_MS) return;
    this.#count = await this.#read();
    this.#at = now;
    if (this.#count < this.#most) return;
    throw new StoreRefusal('full', `cannot add the job: ${this.#most} wait already, which fills the queue`);
  }

  added(): void {
    this.#count += 1;
  }
}
