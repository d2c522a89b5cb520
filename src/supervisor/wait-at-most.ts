import type { Clock } from '../base/clock.ts';

/** Resolves with the promise, or after `ms`; how the promise ended is its own affair. */
export function waitAtMost(wanted: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const disarm = clock.after(ms, resolve);
    const settle = (): void => {
      disarm();
      resolve();
    };
    wanted.then(settle, settle);
  });
}
