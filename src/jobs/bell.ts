import type { Clock } from '../base/clock.ts';

/** Who waits for something to change, but not for ever, looks again when it rings. */
export class Bell {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves with the next ring, or after `ms`. */
  next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        disarm();
        this.#waiting.delete(done);
        resolve();
      };
      const disarm = this.#clock.after(ms, done);
      this.#waiting.add(done);
    });
  }
}
