import { expect, test } from 'vitest';
import type { EventBody } from '../../src/protocol/events.ts';
import { noteLogFiles } from '../../src/supervisor/note-log-files.ts';
import { NoteBoard } from '../../src/supervisor/notes.ts';

test('log files that cannot be written are one note for each cause as long as they are, and each change is an event', () => {
  const notes = new NoteBoard(['of the boot']);
  const events: EventBody[] = [];
  const note = noteLogFiles(notes, (event) => events.push(event));
  note({ service: 'db', cause: 'ENOSPC: no space left on device, write' });
  note({ service: 'app', cause: 'ENOSPC: no space left on device, write' });
  note({ service: 'web', cause: 'EIO: i/o error, write' });
  notes.forget('app');
  expect(notes.list()).toEqual([
    'of the boot',
    'cannot write log files: ENOSPC: no space left on device, write; lines of app, db go to standard output only',
    'cannot write a log file: EIO: i/o error, write; lines of web go to standard output only',
  ]);
  for (const service of ['db', 'app', 'web']) note({ service, cause: undefined });
  expect(notes.list()).toEqual(['of the boot']);
  expect(events.map(({ type }) => type)).toEqual(Array(6).fill('noted'));
  expect(events.at(-1)).toMatchObject({ text: 'the log file of web is written again' });
});
