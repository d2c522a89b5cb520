import type { Clock } from '../base/clock.ts';

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
    timer = left > LONGEST_TIMER ? setTimeout(arm, LONGEST_TIMER) : setTimeout(run, Math.max(0, left));
  };
  arm();
  return () => clearTimeout(timer);
}
