import type { Clock } from '../base/clock.ts';

/** How long the latest timer of the last while is remembered. */
const REMEMBERED_MS = 60_000;

let latest = { at: Number.NEGATIVE_INFINITY, ms: 0 };

/**
 * By how many ms the most late of our timers rang within the last minute: how long the event loop kept others waiting.
 * Nothing ticks for it; where no timer was due, nobody has waited.
 */
export function readLoopLag(): number {
  return performance.now() - latest.at > REMEMBERED_MS ? 0 : latest.ms;
}

function noteLateness(due: number): void {
  const now = performance.now();
  const ms = Math.max(0, now - due);
  if (ms >= latest.ms || now - latest.at > REMEMBERED_MS) latest = { at: now, ms };
}

/** Node fires a timer beyond this at once; longer waits are made of several. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  mono: () => performance.now(),
  now: () => Date.now(),
  after,
};

function after(ms: number, run: () => void): () => void {
  const end = performance.now() + ms;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = end - performance.now();
    timer = left > LONGEST_TIMER ? setTimeout(arm, LONGEST_TIMER) : setTimeout(ring, Math.max(0, left));
  };
  const ring = (): void => {
    noteLateness(end);
    run();
  };
  arm();
  return () => clearTimeout(timer);
}
