/** Something done again and again, never twice at a time: when its time has come, or somebody pokes. */
import type { Clock } from '../base/clock.ts';

export interface Repeat {
  /** Now, or again as soon as the run under way has ended. */
  poke(): void;
  /** At the latest in so many milliseconds, or after the end of the run under way. */
  hasten(ms: number): void;
  /** No more runs; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/**
 * @param run Resolves to the milliseconds until the next run; must not reject.
 * @param first Milliseconds until the first.
 */
export function repeat(clock: Clock, first: number, run: () => Promise<number>): Repeat {
  let disarm: () => void = () => undefined;
  let running: Promise<void> | undefined;
  let poked = false;
  let stopped = false;
  /** Monotonic, of the next run; while one is under way, not later than that. */
  let due = Number.POSITIVE_INFINITY;
  const arm = (ms: number): void => {
    disarm();
    if (stopped) return;
    due = clock.mono() + ms;
    disarm = clock.after(ms, go);
  };
  const go = (): void => {
    disarm();
    if (stopped) return;
    if (running) {
      poked = true;
      return;
    }
    poked = false;
    due = Number.POSITIVE_INFINITY;
    running = run().then((ms) => {
      running = undefined;
      if (poked) go();
      else arm(Math.min(ms, Math.max(0, due - clock.mono())));
    });
  };
  arm(first);
  return {
    poke: go,
    hasten: (ms) => {
      if (clock.mono() + ms >= due) return;
      if (running) due = clock.mono() + ms;
      else arm(ms);
    },
    stop: async () => {
      stopped = true;
      disarm();
      await running;
    },
  };
}
