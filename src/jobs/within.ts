/** A promise that may never settle, and somebody who cannot wait for ever. */
import type { Clock } from '../base/clock.ts';

/**
 * Rejects with what `expired` makes after `ms`. `late` hears of a value that comes after that; a late error is dropped.
 */
export function within<T>(
  work: Promise<T>,
  ms: number,
  clock: Clock,
  expired: () => Error,
  late: (value: T) => void = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const disarm = clock.after(ms, () => {
      over = true;
      reject(expired());
    });
    work.then(
      (value) => {
        disarm();
        if (over) late(value);
        else resolve(value);
      },
      (error: unknown) => {
        disarm();
        reject(error);
      },
    );
  });
}
