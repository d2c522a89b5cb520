/**
 * The folder of log files, as PID 1 writes there. Its files are closed for good one by one, and then a child program
 * compresses or removes them; who writes where, and what was handed to that program, is settled here, so that no
 * line is ever written to a file that is being taken away.
 */
import { promises, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { byAge, isUnfinished, type LogName, logName, parseLogName } from '../base/log-names.ts';
import { readEnd } from './read-end.ts';

export interface FolderFile extends LogName {
  readonly size: number;
  /** Somebody here writes it. */
  readonly open: boolean;
}

export interface FolderListing {
  readonly files: readonly FolderFile[];
  /** Left by a program that was killed. */
  readonly unfinished: readonly string[];
}

export interface Writer {
  /** What comes next goes to the next part. */
  cut(): void;
  /** Closes its file if it is of a day before this one, unless it is being written. */
  closeBefore(day: number): Promise<void>;
}

export class LogFolder {
  readonly path: string;
  /** Bytes after which a file is continued in the next part. */
  readonly longest: () => number;
  /** Names of files that are being written. */
  readonly #open = new Set<string>();
  #sealed: ReadonlySet<string> = new Set();
  #version = 0;
  #bytes = 0;
  #limit = Number.POSITIVE_INFINITY;
  #onFull: () => void = () => undefined;
  readonly #writers = new Set<Writer>();

  constructor(path: string, longest: () => number) {
    this.path = path;
    this.longest = longest;
  }

  /** Closes what belongs to days before `today` and is not being written, and tells what is there. */
  async list(today: number): Promise<FolderListing> {
    await Promise.all([...this.#writers].map((writer) => writer.closeBefore(today)));
    const names = await this.#names();
    const listed: { readonly name: LogName; readonly size: number }[] = [];
    for (const name of names.flatMap((file) => parseLogName(file) ?? [])) {
      const stats = await promises.lstat(join(this.path, name.file)).catch(() => undefined);
      if (stats?.isFile()) listed.push({ name, size: stats.size });
    }
    this.#bytes = listed.reduce((sum, { name, size }) => sum + (name.day === '' ? 0 : size), 0);
    return {
      files: listed.map(({ name, size }) => ({ ...name, size, open: this.#isOpen(name) })),
      unfinished: names.filter(isUnfinished),
    };
  }

  /**
   * From now on, until it is called with nothing, none of these is opened for writing.
   * @returns those that nobody writes at this moment; the others are not meant
   */
  seal(files: readonly string[]): readonly string[] {
    const free = files.filter((file) => {
      const name = parseLogName(file);
      return !name || !this.#isOpen(name);
    });
    this.#sealed = new Set(free);
    this.#version += 1;
    return free;
  }

  /** Calls once, as soon as the files that were listed last and what was written since are more than so many bytes. */
  onceAbove(bytes: number, run: () => void): void {
    this.#limit = bytes;
    this.#onFull = run;
    this.grew(0);
  }

  /** Every open file is continued in its next part. */
  cut(): void {
    for (const writer of this.#writers) writer.cut();
  }

  /** Tells that somebody has written. */
  grew(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#limit) return;
    this.#limit = Number.POSITIVE_INFINITY;
    this.#onFull();
  }

  join(writer: Writer): void {
    this.#writers.add(writer);
  }

  /**
   * The part a writer of this service goes on with, held open for it: the newest of its day, or the one after that
   * where it is compressed, being taken away, or has `longest` bytes.
   * @param after the part must be beyond this one
   */
  async take(service: string, day: string, after: number): Promise<LogName> {
    for (;;) {
      const version = this.#version;
      const parts = (await this.#names())
        .flatMap((file) => parseLogName(file) ?? [])
        .filter((name) => name.service === service && name.day === day && name.moved === 0);
      // What a program did meanwhile is not in this list.
      if (version !== this.#version) continue;
      const newest = Math.max(after + 1, ...parts.map(({ part }) => part));
      const isClosed =
        this.#sealed.has(logName(service, day, newest)) ||
        parts.some(({ part, compressed }) => part === newest && compressed);
      const part = isClosed ? newest + 1 : newest;
      const file = logName(service, day, part);
      this.#open.add(file);
      return { file, service, day, part, moved: 0, compressed: false };
    }
  }

  /** What was moved aside may be written on until it is opened anew under its name. */
  #isOpen({ service, day, part }: LogName): boolean {
    return this.#open.has(logName(service, day, part));
  }

  leave(file: string): void {
    this.#open.delete(file);
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await promises.readdir(this.path);
    } catch {
      return [];
    }
  }
}

/**
 * The last bytes of what a service has written, of its newest files together, as far back as they are not compressed.
 * @param files the names in the folder
 */
export function readNewestEnds(folder: string, files: readonly LogName[], bytes: number): Buffer | undefined {
  const ends: Buffer[] = [];
  let left = bytes;
  for (const { file, compressed } of files.toSorted(byAge).reverse()) {
    if (left <= 0 || compressed) break;
    const end = readEnd(join(folder, file), left);
    if (end) ends.unshift(end);
    left -= end?.length ?? 0;
  }
  return ends.length === 0 ? undefined : Buffer.concat(ends);
}

/** The names of log files there, by service. */
export function listLogNames(folder: string): ReadonlyMap<string, readonly LogName[]> {
  const names = new Map<string, LogName[]>();
  for (const file of readNames(folder)) {
    const name = parseLogName(file);
    if (name) names.set(name.service, [...(names.get(name.service) ?? []), name]);
  }
  return names;
}

function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
