import { expect, test } from 'vitest';
import type { EventBody } from '../../src/protocol/events.ts';
import { noteRestraint } from '../../src/supervisor/note-restraint.ts';
import { NoteBoard } from '../../src/supervisor/notes.ts';

test('a restrained service is a note as long as it is one, over restarts of it too, and each change is an event', () => {
  const notes = new NoteBoard(['of the boot']);
  const events: EventBody[] = [];
  const tell = (what: 'hidden' | 'held' | 'free') =>
    noteRestraint({ service: 'app', what, hasFile: true, heldMs: 12_340, hiddenLines: 5 }, notes, (event) =>
      events.push(event),
    );
  tell('hidden');
  tell('held');
  notes.forget('app');
  expect(notes.list()).toEqual(['of the boot', expect.stringContaining('app writes more than there is')]);
  tell('free');
  expect(notes.list()).toEqual(['of the boot']);
  expect(events.map(({ type }) => type)).toEqual(['noted', 'noted', 'noted']);
  expect(events[2]).toMatchObject({ text: expect.stringContaining('waited 12.3 s in all') });
  expect(events[2]).toMatchObject({ text: expect.stringContaining('did not show 5 of its lines') });
});
