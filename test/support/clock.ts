import type { Clock } from '../../src/base/clock.ts';

export interface ManualClock extends Clock {
  /** Moves time on; timers fire in order of their due times, those they arm included. */
  advance(ms: number): void;
  /** Timers that are armed. */
  readonly armed: number;
}

/** Time that moves only when a test says so, from 2026-01-01T00:00:00Z. */
export function manualClock(): ManualClock {
  const epoch = Date.UTC(2026, 0, 1);
  const timers = new Set<{ due: number; run: () => void }>();
  let mono = 0;
  return {
    mono: () => mono,
    now: () => epoch + mono,
    after: (ms, run) => {
      const timer = { due: mono + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      const end = mono + ms;
      for (;;) {
        const next = [...timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        timers.delete(next);
        mono = Math.max(mono, next.due);
        next.run();
      }
      mono = end;
    },
    get armed() {
      return timers.size;
    },
  };
}

/** Real time, for tests with real processes and files. */
export const realClock: Clock = {
  mono: () => performance.now(),
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
