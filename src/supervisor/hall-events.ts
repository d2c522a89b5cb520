/** The event log in the real world: a file on the volume that is bounded, and numbers that go on where they were. */
import type { Clock } from '../base/clock.ts';
import { readRotatedEnd } from '../system/read-end.ts';
import { RotatingFile } from '../system/rotating-file.ts';
import { createEventLog, type EventLog } from './control/event-log.ts';

/** About 7,000 events. */
const LONGEST_FILE = 1024 * 1024;
const OLD_FILES = 3;
const LAST_LINES = 16 * 1024;

export interface HallEvents {
  readonly log: EventLog;
  /** Resolves when all is written. */
  close(): Promise<void>;
}

export function openHallEvents(
  dataDir: string,
  clock: Pick<Clock, 'now'>,
  listenerFailed: (error: unknown) => void,
): HallEvents {
  const path = `${dataDir}/bulkhead/events.ndjson`;
  const file = new RotatingFile(path, LONGEST_FILE, OLD_FILES);
  const end = readRotatedEnd(path, LAST_LINES)?.toString('utf8') ?? '';
  // A line that was torn by a crash must not swallow the next.
  if (end !== '' && !end.endsWith('\n')) file.append(Buffer.from('\n'));
  const log = createEventLog(
    {
      now: () => clock.now(),
      appendLine: (line) => file.append(Buffer.from(`${line}\n`)),
      listenerFailed,
    },
    { after: lastNumber(end) },
  );
  return { log, close: () => file.release() };
}

/** Of the last whole event in the text; 0: there is none. */
function lastNumber(text: string): number {
  const numbers = [...text.matchAll(/^\{"seq":(\d{1,15}),.*\}$/gm)];
  return Number(numbers.at(-1)?.[1] ?? 0);
}
