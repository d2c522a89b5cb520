/** The form a line has in `<dataDir>/logs/<service>.log` and in the memory of the last lines. */
import type { LogLine } from './control.ts';

/** The name PID 1's own lines go by. */
export const OWN_NAME = 'bulkhead';

/**
 * What stands before the bytes of a line. It is the container runtimes' format (Kubernetes CRI), so what reads their
 * files reads ours: time, stream, `F` for a full line or `P` for one that goes on in the next; behind a colon, as that
 * format allows, the short id of the job whose attempt wrote it.
 */
export function stampOf(time: string, stream: LogLine['stream'], partial: boolean, job?: string): string {
  return `${time} ${stream} ${partial ? 'P' : 'F'}${job === undefined ? '' : `:${job}`} `;
}

/** What people call a job by: the end of its id, because such an id begins with the time (UUID version 7). */
export function shortJobId(id: string): string {
  return id.slice(-8);
}

/** Reads a stored line, without its newline; undefined where it is none of ours (torn or foreign). */
export function parseStoredLine(service: string, text: string): LogLine | undefined {
  const match =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (stdout|stderr|note) [FP](?::([\w-]+))? (.*)$/s.exec(text);
  if (!match) return undefined;
  const [, time = '', stream, job, line = ''] = match;
  return {
    time,
    service,
    stream: stream as LogLine['stream'],
    ...(job === undefined ? {} : { job }),
    line: line.endsWith('\r') ? line.slice(0, -1) : line,
  };
}
