import type { EventBody } from '../protocol/events.ts';
import type { FileEvent } from './logs/ports.ts';
import type { NoteBoard } from './notes.ts';

/** Not a service's own notes: those go with its next start, this does not. */
const FROM = 'log files';

/**
 * Log files that cannot be written: the log has said it, where it may be in no file either; here each becomes an event,
 * and all with one cause, as of a full disk, one note while it is so.
 */
export function noteLogFiles(
  notes: Pick<NoteBoard, 'add' | 'forget'>,
  announce: (event: EventBody) => void,
): (event: FileEvent) => void {
  const causes = new Map<string, string>();
  return ({ service, cause }) => {
    if (cause === undefined) causes.delete(service);
    else causes.set(service, cause);
    notes.forget(FROM);
    for (const one of new Set(causes.values())) {
      const failing = [...causes].filter(([, other]) => other === one).map(([name]) => name);
      notes.add(FROM, tell(failing.toSorted(), one));
    }
    const text = cause === undefined ? `the log file of ${service} is written again` : tell([service], cause);
    announce({ type: 'noted', text });
  };
}

/** One sentence without a final stop; the cause comes first, for /health shows only the beginning of a long one. */
function tell(services: readonly string[], cause: string): string {
  const files = services.length === 1 ? 'a log file' : 'log files';
  return `cannot write ${files}: ${cause}; lines of ${services.join(', ')} go to standard output only`;
}
