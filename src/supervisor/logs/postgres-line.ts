import { levelNumber } from '../../protocol/levels.ts';
import type { Structured } from '../../protocol/structured.ts';

/**
 * Our cluster's `log_line_prefix` (database/render-config.ts), then the severity, or the part of a report that the
 * line is. PostgreSQL writes its own JSON only through its logging collector, into files of its own
 * (https://www.postgresql.org/docs/current/runtime-config-logging.html); on standard error there is this.
 */
const LINE =
  /^\[(\d+)\] (?:(\S+)@(\S+) )?(DEBUG[1-5]|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|LOCATION|STATEMENT): {2}(.*)$/s;

/** A line of PostgreSQL's log as level, message, process, user and database; undefined where it is none. */
export function readPostgresLine(text: string): Structured | undefined {
  const [, pid, user, database, word = '', msg] = LINE.exec(text) ?? [];
  if (pid === undefined) return undefined;
  const level = levelNumber(word.replace(/\d$/, ''));
  const rest = {
    pid: Number(pid),
    ...(user === undefined ? {} : { user, database }),
    // What stands below a report: its level is the report's.
    ...(level === undefined ? { part: word.toLowerCase() } : {}),
  };
  return { level, time: undefined, msg, rest };
}
