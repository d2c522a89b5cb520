import type { Unit } from './unit.ts';
import { hasSettled, isThere } from './unit.ts';

export interface BootListener {
  /** Milliseconds since the start. */
  booted(ms: number): void;
  settled(): void;
}

/** Notices when a boot is over: once when all that is critical is there, once when everything came to something. */
export class BootWatch {
  #startedAt: number | undefined;
  #isBooted = false;
  #isSettled = false;

  /** `now`: monotonic, ms. */
  begin(now: number): void {
    this.#startedAt = now;
  }

  review(units: readonly Unit[], now: number, listener: BootListener): void {
    if (this.#startedAt === undefined || (this.#isBooted && this.#isSettled)) return;
    const critical = units.filter((unit) => unit.run.critical);
    const settled = units.every((unit) => hasSettled(unit));
    const booted = critical.length > 0 ? critical.every(isThere) : settled;
    if (booted && !this.#isBooted) {
      this.#isBooted = true;
      listener.booted(now - this.#startedAt);
    }
    if (settled && !this.#isSettled) {
      this.#isSettled = true;
      listener.settled();
    }
  }
}
