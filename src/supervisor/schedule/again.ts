import type { Clock } from '../../base/clock.ts';

/** Also for one that fails all day. ms */
const LONGEST = 300_000;

/** A failed run is run again: soon, and later and later while it goes on failing. */
export class Again {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #run: () => void;
  #failures = 0;
  #disarm: (() => void) | undefined;

  constructor(clock: Pick<Clock, 'after'>, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** @param first ms after the first failure; undefined: its next time is soon enough */
  ended(ok: boolean, first: number | undefined): void {
    this.cancel();
    if (ok || first === undefined) {
      this.#failures = 0;
      return;
    }
    const wait = Math.min(Math.max(first, LONGEST), first * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    this.#disarm = this.#clock.after(wait, this.#run);
  }

  /** Something else starts it, or nothing any more. */
  cancel(): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }
}
