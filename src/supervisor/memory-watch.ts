/** Looks now and then how much memory a service uses. Costs nothing where no limit is written. */
import type { Clock } from '../base/clock.ts';

/** Leaks take minutes; what takes less is for the kernel. */
const INTERVAL_MS = 2000;

/**
 * @param limit bytes
 * @param exceeded called at most once, with the bytes in use
 * @returns ends the watch
 */
export function watchMemory(
  limit: number | undefined,
  used: () => number,
  clock: Pick<Clock, 'after'>,
  exceeded: (bytes: number) => void,
): () => void {
  if (limit === undefined) return () => undefined;
  let disarm = clock.after(INTERVAL_MS, look);
  function look(): void {
    const bytes = used();
    if (bytes > (limit ?? 0)) exceeded(bytes);
    else disarm = clock.after(INTERVAL_MS, look);
  }
  return () => disarm();
}
