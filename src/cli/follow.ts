import type { Surroundings } from './surroundings.ts';

/**
 * Runs something that goes on until told otherwise: Ctrl-C and a reader that has gone (`| head`) abort it, and both
 * are a quiet end.
 */
export async function untilInterrupted<Result>(
  io: Surroundings,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const stop = () => over.abort();
  const giveBack = [io.onSignal('SIGINT', stop), io.onSignal('SIGTERM', stop)];
  io.out.closed.addEventListener('abort', stop, { once: true });
  try {
    return await run(over.signal);
  } finally {
    for (const release of giveBack) release();
    io.out.closed.removeEventListener('abort', stop);
  }
}
