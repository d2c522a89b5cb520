import { close, constants, mkdir, open, write } from 'node:fs';
import { dirname } from 'node:path';

/**
 * O_NOFOLLOW and O_NONBLOCK: a symbolic link or a FIFO somebody planted under the name is refused, instead of
 * written through or waited for.
 */
const FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

type Done = (error: Error | undefined, written: number) => void;

/** A file that only grows: opened at the first byte, its folder made where it is missing. */
export class AppendFile {
  private readonly path: string;
  private readonly mode: number;
  private fd: number | undefined;
  private busy = false;
  private readonly waiting: (() => void)[] = [];

  constructor(path: string, mode = 0o640) {
    this.path = path;
    this.mode = mode;
  }

  /**
   * Appends all bytes; on error `written` says how many had made it. Calls wait for one another, so what is appended
   * first stands first. The bytes must not change until `done`. Never throws.
   */
  append(bytes: Uint8Array, done: Done): void {
    this.enter(() => {
      this.write(bytes, (error, written) => {
        this.leave();
        done(error, written);
      });
    });
  }

  /**
   * Closes after what was appended before, so that the next append opens the path anew. `between` is called when
   * nothing is open and nothing is being opened: the moment to move the file away. It must not throw.
   */
  release(between: () => void = () => undefined): Promise<void> {
    return new Promise((resolve) => {
      this.enter(() => {
        const { fd } = this;
        this.fd = undefined;
        const end = (): void => {
          between();
          this.leave();
          resolve();
        };
        if (fd === undefined) end();
        else close(fd, end);
      });
    });
  }

  private enter(turn: () => void): void {
    if (this.busy) {
      this.waiting.push(turn);
      return;
    }
    this.busy = true;
    turn();
  }

  private leave(): void {
    this.busy = false;
    const next = this.waiting.shift();
    if (next) this.enter(next);
  }

  private write(bytes: Uint8Array, done: Done): void {
    if (this.fd !== undefined) {
      writeAll(this.fd, bytes, 0, done);
      return;
    }
    mkdir(dirname(this.path), { recursive: true, mode: 0o755 }, (error) => {
      if (error && error.code !== 'EEXIST') {
        done(error, 0);
        return;
      }
      open(this.path, FLAGS, this.mode, (openError, fd) => {
        if (openError) {
          done(openError, 0);
          return;
        }
        this.fd = fd;
        writeAll(fd, bytes, 0, done);
      });
    });
  }
}

/** A full disk may take a part of the bytes before it says so. */
function writeAll(fd: number, bytes: Uint8Array, from: number, done: Done): void {
  write(fd, bytes, from, bytes.length - from, null, (error, written) => {
    if (error) return done(error, from);
    const at = from + written;
    if (at >= bytes.length) return done(undefined, at);
    writeAll(fd, bytes, at, done);
  });
}
