import { Socket } from 'node:net';
import { readLines } from './line-reader.ts';

/** PID 1's end of the socket on a child's descriptor 3. */
export interface Channel {
  /** False: it does not read what it was sent before, and this is lost. */
  send(line: string): boolean;
  /** Bytes it has not read. */
  readonly waiting: number;
  /** While held nothing is read, and its writes wait. */
  hold(held: boolean): void;
  /** After the child's death: calls back when every line it wrote has been told, or after a short while. */
  drain(done: () => void): void;
}

/** What lines a child may write; others are dropped. */
export interface LineLimit {
  /** Bytes. */
  readonly longest: number;
  tooLong(): void;
}

const LONGEST_LINE = 1024 * 1024;
/** A child that never reads must not cost us memory without bound. */
const LONGEST_QUEUE = 4 * 1024 * 1024;
/** Only a process that outlives the child with the socket still open makes us wait so long. */
const DRAIN_MS = 250;

export function openChannel(
  stream: unknown,
  wanted: boolean | LineLimit | undefined,
  onLine: (line: string) => void,
): Channel | undefined {
  if (!wanted || !(stream instanceof Socket)) return undefined;
  let ended = false;
  let onEnd: (() => void) | undefined;
  const finish = (): void => {
    if (ended) return;
    ended = true;
    stream.destroy();
    onEnd?.();
  };
  outliveWriteErrors(stream);
  const take =
    typeof wanted === 'object'
      ? readLines(
          (line) => !ended && onLine(line),
          wanted.longest,
          () => wanted.tooLong(),
        )
      : readLines((line) => !ended && onLine(line), LONGEST_LINE);
  stream.on('data', take);
  // The end of what could be read; the child's death is told elsewhere.
  stream.on('error', () => {
    // Read from the socket while it was held, and handed to nobody yet.
    for (let rest = stream.read(); rest !== null; rest = stream.read()) take(rest);
    finish();
  });
  stream.on('end', finish);
  return {
    send: (line) => {
      if (ended || stream.writableLength >= LONGEST_QUEUE) return ended;
      stream.write(`${line}\n`);
      return true;
    },
    get waiting() {
      return stream.writableLength;
    },
    hold: (held) => {
      if (held) stream.pause();
      else stream.resume();
    },
    drain: (done) => {
      if (ended) return done();
      stream.resume();
      const timer = setTimeout(finish, DRAIN_MS);
      onEnd = () => {
        clearTimeout(timer);
        done();
      };
    },
  };
}

/**
 * A child that has gone without reading what it was sent may have said something first. Node closes a socket at the
 * first write that fails, and what lies in it unread is gone; so a failed write passes for one that was never read, and
 * the end is where there is no more to read.
 */
function outliveWriteErrors(stream: Socket): void {
  const write = stream._write.bind(stream);
  stream._write = (chunk, encoding, done) => write(chunk, encoding, () => done());
  const writev = stream._writev?.bind(stream);
  if (writev) stream._writev = (chunks, done) => writev(chunks, () => done());
}
