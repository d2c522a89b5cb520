/** The moment people mean. */
import { parseDuration } from '../base/duration.ts';

export interface Moment {
  /** As recovery_target_time takes it; undefined: the end of the log. */
  readonly text: string | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)$/i;

/**
 * Of `2026-11-21T08:15:00Z`, `2026-11-21 09:15:00.25+01:00`, `10m` or `10m ago`, `latest`. Undefined where the text is
 * none of these: without a zone nobody could tell which moment is meant.
 */
export function parseMoment(written: string, now: number): Moment | undefined {
  const text = written.trim();
  if (text === 'latest') return { text: undefined, at: now };
  const ago = parseDuration(text.replace(/\s*ago$/i, ''));
  if (ago !== undefined) return { text: forServer(new Date(now - ago).toISOString()), at: now - ago };
  const [, day, time, zone = ''] = ISO.exec(text) ?? [];
  const at = Date.parse(`${day}T${time}${fullZone(zone)}`);
  return day === undefined || Number.isNaN(at) ? undefined : { text: forServer(`${day} ${time}${zone}`), at };
}

/** `+01`, `+0100` and `+01:00` are the same; JavaScript reads the last. */
function fullZone(zone: string): string {
  return zone
    .toUpperCase()
    .replace(/^([+-]\d\d):?(\d\d)?$/, (_, hours, minutes = '00') => `${hours}:${minutes}`);
}

/** The server reads it before it knows any name of a zone, `Z` among them. */
function forServer(text: string): string {
  return text.replace('T', ' ').replace(/ ?z$/i, '+00');
}
