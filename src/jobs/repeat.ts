/** Something done again and again, never twice at a time: when its time has come, or somebody pokes. */
import type { Clock } from '../base/clock.ts';

export interface Repeat {
  /** Now, or again as soon as the run under way has ended. */
  poke(): void;
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
  const arm = (ms: number): void => {
    disarm();
    if (!stopped) disarm = clock.after(ms, go);
  };
  const go = (): void => {
    disarm();
    if (stopped) return;
    if (running) {
      poked = true;
      return;
    }
    poked = false;
    running = run().then((ms) => {
      running = undefined;
      if (poked) go();
      else arm(ms);
    });
  };
  arm(first);
  return {
    poke: go,
    stop: async () => {
      stopped = true;
      disarm();
      await running;
    },
  };
}
