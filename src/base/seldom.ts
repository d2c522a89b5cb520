import type { Clock } from './clock.ts';

/**
 * Says what may happen many times a second: at once, then at most every so often, all that has come since as one. Until
 * something comes no timer is armed.
 */
export class Seldom<T> {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #everyMs: number;
  readonly #say: (all: readonly T[]) => void;
  #held: T[] = [];
  #disarm: (() => void) | undefined;

  constructor(clock: Pick<Clock, 'after'>, everyMs: number, say: (all: readonly T[]) => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#say = say;
  }

  add(...things: readonly T[]): void {
    if (things.length === 0) return;
    this.#held.push(...things);
    if (this.#disarm === undefined) this.#sayNow();
  }

  /** Says what is held, and forgets when it last did. */
  end(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    const all = this.#held;
    this.#held = [];
    if (all.length > 0) this.#say(all);
  }

  #sayNow(): void {
    const all = this.#held;
    this.#held = [];
    this.#disarm = this.#clock.after(this.#everyMs, () => {
      this.#disarm = undefined;
      if (this.#held.length > 0) this.#sayNow();
    });
    this.#say(all);
  }
}
