/**
 * The names of log files. `app-2026-11-21.log` is what `app` wrote on that day (UTC), `app-2026-11-21.1.log` what it
 * wrote after that had grown to its size, and so on; a closed day ends with `.gz`. What somebody else has moved aside
 * (`….log.1`, as logrotate does) is older than what has its name now. `app.log` is how one file for all days was
 * called.
 */

export interface LogName {
  /** As it is written. */
  readonly file: string;
  readonly service: string;
  /** `2026-11-21`; empty: of all days. */
  readonly day: string;
  readonly part: number;
  /** How often it was moved aside. */
  readonly moved: number;
  readonly compressed: boolean;
}

const NAME = /^(.+?)(?:-(\d{4}-\d\d-\d\d)(?:\.(\d{1,9}))?)?\.log(?:\.(\d{1,9}))?(\.gz)?$/;

/** Undefined: it is none of ours. */
export function parseLogName(file: string): LogName | undefined {
  const match = NAME.exec(file);
  if (!match || file.includes('/')) return undefined;
  const [, service = '', day = '', part, moved, gz] = match;
  if (service.startsWith('.') || (day !== '' && Number.isNaN(Date.parse(day)))) return undefined;
  return {
    file,
    service,
    day,
    part: Number(part ?? 0),
    moved: Number(moved ?? 0),
    compressed: gz !== undefined,
  };
}

/** @param part 0: the first of its day */
export function logName(service: string, day: string, part: number): string {
  return `${service}-${day}${part === 0 ? '' : `.${part}`}.log`;
}

/** The compressed form of a file, and where it is made. */
export const compressedName = (file: string): string => `${file}.gz`;
export const unfinishedName = (file: string): string => `.${file}.gz.tmp`;
export const isUnfinished = (file: string): boolean => /^\..+\.log(\.\d+)?\.gz\.tmp$/.test(file);

/** Oldest first, of one service or of several. */
export function byAge(a: LogName, b: LogName): number {
  if (a.day !== b.day) return a.day < b.day ? -1 : 1;
  return b.moved - a.moved || a.part - b.part;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Days since 1970 in UTC, where every day has 24 hours. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** `2026-11-21` */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** ms until the next day begins; never 0. */
export function untilNextDay(ms: number): number {
  return (dayOf(ms) + 1) * DAY_MS - ms;
}
