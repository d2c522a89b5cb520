/**
 * A file of lines that are true once they are told to be: each `append` resolves when its line will outlive a power cut.
 * Lines that come while the disk is busy share one fsync.
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../base/errors.ts';

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface ReadLines {
  /** Parsed, in the order they were written. */
  readonly lines: readonly object[];
  /** Bytes of lines that are not whole: what a crash tore. */
  readonly torn: number;
}

export class JournalFile {
  readonly #path: string;
  #file: FileHandle | undefined;
  /** Where what is safe ends. */
  #size = 0;
  /** Behind that lies what a write that failed has left. */
  #isTorn = false;
  #waiting: Waiting[] = [];
  /** Of the one writer; also what `rewrite` and `close` wait for. */
  #busy: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** Every whole line in it. A line is a JSON object and ends with a newline, so that no part of one is one. */
  async read(): Promise<ReadLines> {
    const bytes = await readFile(this.#path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const lines: object[] = [];
    let torn = 0;
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(10, at);
      const end = newline === -1 ? bytes.length : newline + 1;
      const value = newline === -1 ? undefined : parse(bytes.toString('utf8', at, newline));
      if (value === undefined) torn += end - at;
      else lines.push(value);
      at = end;
    }
    return { lines, torn };
  }

  /** Out of the way, under the name it resolves to: what cannot be read now is not overwritten. */
  async setAside(): Promise<string> {
    const path = `${this.#path}.unreadable-${Date.now()}`;
    await rename(this.#path, path);
    return path;
  }

  /** Rejects where it cannot be written; the file may end with a part of the line then, until the next one is. */
  append(line: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text: `${JSON.stringify(line)}\n`, resolve, reject });
      if (this.#waiting.length === 1) this.#next(() => this.#flush());
    });
  }

  /** The same file with these lines alone, as a whole or not at all; what was appended before it is in it or in them. */
  rewrite(lines: () => Iterable<unknown>): Promise<void> {
    return this.#next(async () => {
      await this.#flush();
      const temporary = `${this.#path}.tmp`;
      const text = [...lines()].map((line) => `${JSON.stringify(line)}\n`).join('');
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
        await rename(temporary, this.#path);
        await syncFolder(dirname(this.#path));
      } catch (error) {
        await file.close();
        throw error;
      }
      await this.#file?.close().catch(() => undefined);
      this.#file = file;
      this.#size = Buffer.byteLength(text);
      this.#isTorn = false;
    });
  }

  /** After what was appended before. */
  close(): Promise<void> {
    return this.#next(async () => {
      await this.#flush();
      await this.#file?.close();
      this.#file = undefined;
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#busy.then(work);
    this.#busy = done.catch(() => undefined);
    return done;
  }

  /** Never rejects: each line hears of its own end. */
  async #flush(): Promise<void> {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    try {
      if (this.#file === undefined) throw new Error('internal error: the journal is not open');
      const bytes = Buffer.from(batch.map(({ text }) => text).join(''));
      await this.#cutTorn(this.#file);
      for (let at = 0; at < bytes.length; )
        at += (await this.#file.write(bytes, at, bytes.length - at, this.#size + at)).bytesWritten;
      await this.#file.datasync();
      this.#size += bytes.length;
      for (const { resolve } of batch) resolve();
    } catch (error) {
      this.#isTorn = true;
      for (const { reject } of batch) reject(error);
    }
  }

  /** A line behind half of one would be a part of it, and lost with it; a whole one was refused, and must not come back. */
  async #cutTorn(file: FileHandle): Promise<void> {
    if (!this.#isTorn) return;
    await file.truncate(this.#size);
    this.#isTorn = false;
  }
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
