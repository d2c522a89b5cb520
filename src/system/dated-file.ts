import { promises } from 'node:fs';
import { join } from 'node:path';
import { dateOf, type LogName } from '../base/log-names.ts';
import { AppendFile } from './append-file.ts';
import type { LogFolder } from './log-folder.ts';
import { readEnd } from './read-end.ts';

const NEWLINE = 0x0a;

type Done = (error: Error | undefined, written: number) => void;

interface Part {
  readonly name: LogName;
  readonly day: number;
  readonly file: AppendFile;
  bytes: number;
  /** Its last byte ends a line. */
  isWhole: boolean;
}

/**
 * The log of one service: what belongs to a day is appended to a file of that day, in parts of at most the folder's
 * size, and no line is divided between two of them. No timer is needed for it, and a clock that is set back goes on in
 * the file of the day it then is.
 */
export class DatedFile {
  readonly #folder: LogFolder;
  readonly #service: string;
  #part: Part | undefined;
  #isCut = false;
  #isBusy = false;

  constructor(folder: LogFolder, service: string) {
    this.#folder = folder;
    this.#service = service;
    folder.join({
      cut: () => {
        this.#isCut = this.#part !== undefined;
      },
      closeBefore: async (day) => {
        if (!this.#isBusy && this.#part && this.#part.day < day) await this.release();
      },
    });
  }

  /**
   * Appends all bytes, which were written on one day (as in base/log-names.ts); on error `written` says how many had
   * made it. One call at a time; the bytes must not change until `done`. Never throws.
   */
  append(bytes: Uint8Array, day: number, done: Done): void {
    const part = this.#part;
    this.#isBusy = true;
    const end: Done = (error, written) => {
      this.#isBusy = false;
      done(error, written);
    };
    if (part?.day === day && !this.#isOver(part, bytes.length)) this.#write(part, bytes, end);
    else {
      this.#turnTo(day, bytes.length).then(
        (next) => this.#write(next, bytes, end),
        (error: unknown) => end(error instanceof Error ? error : new Error(String(error)), 0),
      );
    }
  }

  /** Closes, so that the next append looks anew which file it is. Not during an append. */
  async release(): Promise<void> {
    const part = this.#part;
    if (!part) return;
    this.#part = undefined;
    // At once: nothing more is written there, and whoever opens it while it is being closed must stay noted.
    this.#folder.leave(part.name.file);
    await part.file.release();
  }

  #write(part: Part, bytes: Uint8Array, done: Done): void {
    part.file.append(bytes, (error, written) => {
      part.bytes += written;
      if (written > 0) part.isWhole = bytes[written - 1] === NEWLINE;
      this.#folder.grew(written);
      done(error, written);
    });
  }

  #isOver({ bytes, isWhole }: Part, more: number): boolean {
    return isWhole && bytes > 0 && (this.#isCut || bytes + more > this.#folder.longest());
  }

  async #turnTo(day: number, more: number): Promise<Part> {
    const last = this.#part;
    await this.release();
    // A part that is full is not looked for again, whatever has become of its file.
    let after = last?.day === day ? last.name.part : -1;
    for (;;) {
      const part = await this.#open(day, after);
      if (!this.#isOver(part, more)) {
        this.#isCut = false;
        this.#part = part;
        return part;
      }
      this.#folder.leave(part.name.file);
      after = part.name.part;
    }
  }

  async #open(day: number, after: number): Promise<Part> {
    const name = await this.#folder.take(this.#service, dateOf(day), after);
    const path = join(this.#folder.path, name.file);
    const bytes = (await promises.lstat(path).catch(() => undefined))?.size ?? 0;
    const file = new AppendFile(path);
    const part = { name, day, file, bytes, isWhole: true };
    // A crash may have torn the last line: what comes now is no part of it.
    if (bytes > 0 && readEnd(path, 1)?.[0] !== NEWLINE) await this.#endLine(part);
    return part;
  }

  async #endLine(part: Part): Promise<void> {
    const error = await new Promise<Error | undefined>((resolve) => {
      part.file.append(Buffer.from('\n'), resolve);
    });
    if (error === undefined) {
      part.bytes += 1;
      return;
    }
    await part.file.release();
    this.#folder.leave(part.name.file);
    throw error;
  }
}
