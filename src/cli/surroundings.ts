import type { Readable } from 'node:stream';
import type { Report } from '../protocol/channel.ts';

/** One output stream of ours. */
export interface Sink {
  write(data: string | Uint8Array): void;
  readonly isTTY: boolean;
  /** Columns of the terminal, undefined where it is none. */
  readonly columns: number | undefined;
  /** Aborted when nobody reads it any more (`| head`): a quiet end, not an error. */
  readonly closed: AbortSignal;
  /** Resolves when what was written has left, or never will. */
  flushed(): Promise<void>;
}

/** Everything the command line takes from outside, so that tests can give it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Who asks is not where this process is: a word names what is on the volume, and never a file. */
  readonly namesOnly?: true;
  readonly uid: number;
  readonly out: Sink;
  readonly err: Sink;
  readonly stdin: Readable;
  /** How far a program of ours is; where nobody is there to see a line move. */
  hear?(report: Report): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Takes over a signal; returns the way to give it back. */
  onSignal(signal: NodeJS.Signals, listener: () => void): () => void;
}

/** The surroundings of this very process. */
export function processSurroundings(): Surroundings {
  return {
    env: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? 0,
    out: streamSink(process.stdout),
    err: streamSink(process.stderr),
    // A getter, because touching process.stdin opens it.
    get stdin() {
      return process.stdin;
    },
    now: Date.now,
    onSignal(signal, listener) {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
  };
}

const UNSIZED_COLUMNS = 80;

function streamSink(stream: NodeJS.WriteStream): Sink {
  const closed = new AbortController();
  stream.on('error', () => closed.abort());
  return {
    write(data) {
      if (!closed.signal.aborted) stream.write(data);
    },
    isTTY: stream.isTTY === true,
    get columns() {
      // A terminal that nobody has given a size yet (`docker run -t`) says 0.
      return stream.isTTY ? stream.columns || UNSIZED_COLUMNS : undefined;
    },
    closed: closed.signal,
    flushed() {
      if (closed.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        closed.signal.addEventListener('abort', () => resolve(), { once: true });
        stream.write('', () => resolve());
      });
    },
  };
}
