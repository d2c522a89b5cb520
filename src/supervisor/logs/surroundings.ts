import type { Clock } from '../../base/clock.ts';
import type { Listeners } from './listeners.ts';
import type { LoudServices } from './loud-services.ts';
import type { OutputWriter } from './output-writer.ts';
import type { FileEvent } from './ports.ts';
import type { Redactor } from './redactor.ts';
import type { Look } from './render.ts';

/** What the logs of all services share. */
export interface Surroundings {
  readonly clock: Clock;
  readonly look: Look;
  readonly output: OutputWriter;
  readonly listeners: Listeners;
  readonly redactor: Redactor;
  readonly loud: LoudServices;
  /** A file fails, or is well again. */
  fileTold(event: FileEvent): void;
  /** What is said of a service's file: level, sentence, fields. */
  say(level: 'info' | 'warn', msg: string, fields: Readonly<Record<string, unknown>>): void;
}
