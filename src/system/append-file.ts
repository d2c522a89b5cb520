import { close, constants, mkdir, open, write } from 'node:fs';
import { dirname } from 'node:path';

/**
 * O_NOFOLLOW and O_NONBLOCK: a symbolic link or a FIFO somebody planted under the name is refused, instead of
 * written through or waited for.
 */
const FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file that only grows: opened at the first byte, its folder made where it is missing. */
export class AppendFile {
  private readonly path: string;
  private readonly mode: number;
  private fd: number | undefined;

  constructor(path: string, mode = 0o640) {
    this.path = path;
    this.mode = mode;
  }

  /** Appends all bytes; on error `written` says how many had made it. One call at a time. Never throws. */
  append(bytes: Uint8Array, done: (error: Error | undefined, written: number) => void): void {
    if (this.fd !== undefined) {
      writeAll(this.fd, bytes, 0, done);
      return;
    }
    mkdir(dirname(this.path), { recursive: true, mode: 0o755 }, (error) => {
      if (error && error.code !== 'EEXIST') return done(error, 0);
      open(this.path, FLAGS, this.mode, (openError, fd) => {
        if (openError) return done(openError, 0);
        this.fd = fd;
        writeAll(fd, bytes, 0, done);
      });
    });
  }

  /** Closes, so that the next append opens the path anew. Not during an append. */
  release(): Promise<void> {
    const { fd } = this;
    this.fd = undefined;
    if (fd === undefined) return Promise.resolve();
    return new Promise((resolve) => close(fd, () => resolve()));
  }
}

/** A full disk may take a part of the bytes before it says so. */
function writeAll(
  fd: number,
  bytes: Uint8Array,
  from: number,
  done: (error: Error | undefined, written: number) => void,
): void {
  write(fd, bytes, from, bytes.length - from, null, (error, written) => {
    if (error) return done(error, from);
    const at = from + written;
    if (at >= bytes.length) return done(undefined, at);
    writeAll(fd, bytes, at, done);
  });
}
