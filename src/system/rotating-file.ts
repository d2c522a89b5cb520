import { renameSync, rmSync, statSync } from 'node:fs';
import { codeOf } from '../base/errors.ts';
import { AppendFile } from './append-file.ts';

/** Where it stood before it was rotated `age` times. */
function nameOf(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

/** A file that grows to a size, is moved to `.1`, and begins anew; older ones move up, and the oldest goes. */
export class RotatingFile {
  private readonly path: string;
  private readonly longest: number;
  private readonly keep: number;
  private readonly file: AppendFile;
  /** Bytes, with those that are still on their way; undefined: nobody has asked. */
  private size: number | undefined;

  /** @param longest bytes of one file @param keep how many old ones stay */
  constructor(path: string, longest: number, keep: number) {
    this.path = path;
    this.longest = longest;
    this.keep = keep;
    this.file = new AppendFile(path);
  }

  /** Whole: it is never divided between two files. A disk that refuses it loses it. Never throws. */
  append(bytes: Uint8Array): void {
    this.size ??= sizeOf(this.path);
    if (this.size > 0 && this.size + bytes.length > this.longest) {
      void this.file.release(() => this.rotate());
      this.size = 0;
    }
    this.size += bytes.length;
    this.file.append(bytes, () => undefined);
  }

  /** Resolves when all is written and closed. */
  release(): Promise<void> {
    return this.file.release();
  }

  private rotate(): void {
    try {
      rmSync(nameOf(this.path, this.keep), { force: true });
      for (let age = this.keep - 1; age >= 0; age -= 1) moveOn(this.path, age);
    } catch {
      // It cannot be moved, so it goes on growing; the next time it is tried again.
    }
  }
}

function moveOn(path: string, age: number): void {
  try {
    renameSync(nameOf(path, age), nameOf(path, age + 1));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** One that may not be looked at may not be written either, which its append finds out. */
function sizeOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}
