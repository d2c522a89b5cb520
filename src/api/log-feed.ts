/** The lines of all services as they come, numbered, the newest of them kept for who was away for a moment. */
import { randomBytes } from 'node:crypto';
import type { LogLine } from '../protocol/control.ts';
import { createFollower } from './follower.ts';
import type { Operate } from './operate.ts';
import type { LogPosition } from './stream-position.ts';

export interface LogFeed {
  /** Somebody listens; resolves when lines come. */
  join(): Promise<void>;
  leave(): void;
  /** What came after this, of what is kept here; undefined: it is not of this epoch. */
  after(position: LogPosition): { readonly lines: readonly LogLine[]; readonly missed: boolean } | undefined;
  /** Of PID 1: the newest so many lines of these services, those since a time (ISO 8601) where one is given. */
  fetch(count: number, services: readonly string[] | undefined, since?: string): Promise<readonly LogLine[]>;
  /** Of the last line there was. */
  position(): LogPosition;
  close(): void;
}

const MOST_KEPT = 2000;
const MOST_BYTES = 1024 * 1024;
/** A page that is loaded anew, a network that was away: so long it is listened for all the same. */
const LINGER_MS = 30_000;
const PATIENCE_MS = 10_000;

export function createLogFeed(
  operate: Pick<Operate, 'lines'>,
  onLine: (line: LogLine) => void,
  lingerMs: number = LINGER_MS,
): LogFeed {
  let kept: LogLine[] = [];
  let bytes = 0;
  let position: LogPosition = begin();
  let listeners = 0;
  let linger: NodeJS.Timeout | undefined;
  const follower = createFollower<LogLine>(
    (signal) => operate.lines('/v1/logs?tail=0&follow=1', signal),
    (line) => {
      const { epoch, number, time } = position;
      position = { epoch, number: number + 1, time: Date.parse(line.time) || time };
      kept.push(line);
      bytes += line.line.length;
      while (kept.length > MOST_KEPT || bytes > MOST_BYTES) bytes -= kept.shift()?.line.length ?? bytes;
      onLine(line);
    },
  );

  function stop(): void {
    follower.end();
    kept = [];
    bytes = 0;
    // Whatever is written from now on has no number here.
    position = begin();
  }

  return {
    join() {
      listeners += 1;
      clearTimeout(linger);
      return follower.begin();
    },
    leave() {
      listeners -= 1;
      if (listeners > 0) return;
      linger = setTimeout(stop, lingerMs);
      linger.unref();
    },
    after({ epoch, number }) {
      if (epoch !== position.epoch) return undefined;
      const first = position.number - kept.length;
      return { lines: kept.slice(Math.max(0, number - first)), missed: number < first };
    },
    async fetch(count, services, since) {
      const query = new URLSearchParams({ tail: String(count), ...(since === undefined ? {} : { since }) });
      for (const service of services ?? []) query.append('service', service);
      const lines: LogLine[] = [];
      const over = AbortSignal.timeout(PATIENCE_MS);
      for await (const line of await operate.lines<LogLine>(`/v1/logs?${query}`, over)) lines.push(line);
      return lines;
    },
    position: () => position,
    close() {
      clearTimeout(linger);
      stop();
    },
  };
}

function begin(): LogPosition {
  return { epoch: randomBytes(4).toString('hex'), number: 0, time: Date.now() };
}
