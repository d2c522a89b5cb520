/** Follows something PID 1 tells line by line, for as long as anybody here wants to hear it. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Follower {
  /** Begins, unless it is under way; resolves with the first connection. */
  begin(): Promise<void>;
  end(): void;
}

const RETRY_MS = 1000;

/** @param open asked again whenever the other side ends, a second later */
export function createFollower<Line>(
  open: (signal: AbortSignal) => Promise<AsyncIterable<Line>>,
  onLine: (line: Line) => void,
): Follower {
  let source: AbortController | undefined;
  let connected: Promise<void> | undefined;

  async function follow(stop: AbortSignal, resolve: () => void): Promise<void> {
    while (!stop.aborted) {
      try {
        const lines = await open(stop);
        resolve();
        for await (const line of lines) onLine(line);
      } catch {
        // It is tried again; who listens sees nothing in between, and then all that is kept.
      }
      await sleep(RETRY_MS, undefined, { signal: stop, ref: false }).catch(() => undefined);
    }
    resolve();
  }

  return {
    begin() {
      if (connected !== undefined) return connected;
      const { promise, resolve } = Promise.withResolvers<void>();
      source = new AbortController();
      connected = promise;
      void follow(source.signal, resolve);
      return promise;
    },
    end() {
      source?.abort();
      source = undefined;
      connected = undefined;
    },
  };
}
