/** What alerts remember from one start to the next: `<data>/bulkhead/alerts/state.json`. */
import { readFileSync } from 'node:fs';
import { codeOf, messageOf } from '../base/errors.ts';
import { SavedFile } from '../system/saved-file.ts';
import type { BackupTimes } from './facts.ts';
import type { Alert } from './machine.ts';
import type { Silence, SinkState } from './telling.ts';

export interface Remembered {
  readonly version: 1;
  /** The steady clock when it was written, ms. */
  readonly at: number;
  readonly alerts: readonly Alert[];
  readonly silences: readonly Silence[];
  readonly sinks: Readonly<Record<string, SinkState>>;
  readonly backups: BackupTimes;
  /** By heartbeat: the backup it last told of, ISO 8601. */
  readonly beats: Readonly<Record<string, string>>;
}

export interface Notebook {
  read(): Remembered | undefined;
  /** What has not changed is not written again. Never rejects: what fails is said, once. */
  save(state: Remembered): Promise<void>;
}

export function openNotebook(path: string, say: (text: string) => void): Notebook {
  const file = new SavedFile(path);
  let last = '';
  let isFailing = false;
  return {
    read() {
      try {
        const found: Partial<Remembered> = JSON.parse(readFileSync(path, 'utf8'));
        if (found.version === 1) return { ...EMPTY, ...found, version: 1 };
        say(`alerts begin anew: ${path} is of another version`);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') say(`alerts begin anew: cannot read ${path}: ${messageOf(error)}`);
      }
      return undefined;
    },
    async save(state) {
      const { at: _at, ...rest } = state;
      const text = JSON.stringify(rest);
      if (text === last) return file.settled();
      last = text;
      try {
        await file.save(`${JSON.stringify(state)}\n`);
        isFailing = false;
      } catch (error) {
        last = '';
        if (!isFailing) say(`cannot keep what alerts were told: ${messageOf(error)}`);
        isFailing = true;
      }
    },
  };
}

const EMPTY: Omit<Remembered, 'version'> = {
  at: 0,
  alerts: [],
  silences: [],
  sinks: {},
  backups: {},
  beats: {},
};
