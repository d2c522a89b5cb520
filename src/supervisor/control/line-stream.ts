import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** A client that lets this much pile up is too slow for live lines. */
const TOO_SLOW_BYTES = 1024 * 1024;

/** One JSON value per line, sent as it comes. */
export interface LineStream {
  /** Sends unless the client has let too much pile up; false: it was not sent. */
  offer(value: object): boolean;
  /** Sends and waits until the client keeps up or has gone. */
  send(value: object): Promise<void>;
  readonly slow: boolean;
  /** Calls back each time everything was taken. */
  onDrained(listener: () => void): void;
  /** Resolves when the client has gone or the stream was ended. */
  readonly closed: Promise<void>;
  end(): void;
}

/** Begins an NDJSON answer; the headers leave at once, so that a follower knows it is connected. */
export function openLineStream(response: ServerResponse): LineStream {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const isOver = () => response.destroyed || response.writableEnded;
  return {
    get slow() {
      return response.writableLength > TOO_SLOW_BYTES;
    },
    offer(value) {
      if (isOver() || response.writableLength > TOO_SLOW_BYTES) return false;
      response.write(`${JSON.stringify(value)}\n`);
      return true;
    },
    async send(value) {
      if (isOver()) return;
      if (response.write(`${JSON.stringify(value)}\n`)) return;
      await Promise.race([once(response, 'drain').catch(() => undefined), closed]);
    },
    onDrained(listener) {
      response.on('drain', listener);
    },
    closed,
    end() {
      if (!isOver()) response.end();
    },
  };
}
