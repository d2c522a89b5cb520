import type { EventBody } from '../protocol/events.ts';
import type { RestraintEvent } from './logs/ports.ts';
import { tellRestraint } from './logs/tell-restraint.ts';
import type { NoteBoard } from './notes.ts';

/** A service is too loud, or no longer is: the log has said it; here it becomes an event, and a note while it is so. */
export function noteRestraint(
  event: RestraintEvent,
  notes: Pick<NoteBoard, 'add' | 'forget'>,
  announce: (event: EventBody) => void,
): void {
  const text = tellRestraint(event);
  // Not the service's own notes: those go with its next start, this does not.
  const from = `logs of ${event.service}`;
  notes.forget(from);
  if (event.what !== 'free') notes.add(from, text);
  announce({ type: 'noted', text });
}
