import { fstatSync, write } from 'node:fs';
import { isatty } from 'node:tty';

export interface StandardOutput {
  readonly isTerminal: boolean;
  /** It is /dev/null: nobody will ever read it. */
  readonly isDiscarded: boolean;
  /** One call at a time; the bytes must not change until `done`. Never blocks, never throws. */
  write(bytes: Uint8Array, done: (error: Error | undefined) => void): void;
}

/**
 * Our own standard output, written without ever blocking. A pipe or socket goes through Node's stream, which waits
 * in the event loop; so does a terminal, once Node's habit of writing to terminals synchronously is undone (a
 * terminal stopped by Ctrl-S would stop PID 1). A file or device is written by the thread pool: it cannot make us
 * wait for a reader.
 */
export function openStandardOutput(): StandardOutput {
  const isTerminal = isatty(1);
  const isDiscarded = !isTerminal && isNull();
  if (!isTerminal && isFileOrDevice()) {
    return { isTerminal, isDiscarded, write: (bytes, done) => writeAll(bytes, 0, done) };
  }
  const stream = process.stdout;
  let error: Error | undefined;
  let waiting: ((error: Error | undefined) => void) | undefined;
  const finish = (cause: Error | undefined): void => {
    const done = waiting;
    waiting = undefined;
    done?.(cause);
  };
  stream.on('error', (cause) => {
    error = cause;
    finish(cause);
  });
  if (isTerminal) makeNonBlocking(stream);
  return {
    isTerminal,
    isDiscarded,
    write: (bytes, done) => {
      if (error) {
        const cause = error;
        queueMicrotask(() => done(cause));
        return;
      }
      waiting = done;
      stream.write(bytes, (cause) => finish(cause ?? undefined));
    },
  };
}

function isFileOrDevice(): boolean {
  try {
    const stats = fstatSync(1);
    return stats.isFile() || stats.isCharacterDevice() || stats.isBlockDevice();
  } catch {
    return false;
  }
}

/** By its device number, 1:3 on every Linux (Documentation/admin-guide/devices.txt of the kernel). */
function isNull(): boolean {
  try {
    const stats = fstatSync(1);
    return stats.isCharacterDevice() && stats.rdev === ((1 << 8) | 3);
  } catch {
    return false;
  }
}

/** Node offers no public way; libuv has given us our own description of the terminal, so nobody else is affected. */
function makeNonBlocking(stream: object): void {
  const handle: unknown = Reflect.get(stream, '_handle');
  if (typeof handle !== 'object' || handle === null) return;
  const setBlocking: unknown = Reflect.get(handle, 'setBlocking');
  if (typeof setBlocking === 'function') setBlocking.call(handle, false);
}

function writeAll(bytes: Uint8Array, from: number, done: (error: Error | undefined) => void): void {
  write(1, bytes, from, bytes.length - from, null, (error, written) => {
    if (error) return done(error);
    if (from + written >= bytes.length) return done(undefined);
    writeAll(bytes, from + written, done);
  });
}
