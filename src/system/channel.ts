import { Socket } from 'node:net';
import { readLines } from './line-reader.ts';

/** PID 1's end of the socket on a child's descriptor 3. */
export interface Channel {
  send(line: string): void;
  /** After the child's death: calls back when every line it wrote has been told, or after a short while. */
  drain(done: () => void): void;
}

const LONGEST_LINE = 1024 * 1024;
/** A child that never reads must not cost us memory without bound. */
const LONGEST_QUEUE = 4 * 1024 * 1024;
/** Only a process that outlives the child with the socket still open makes us wait so long. */
const DRAIN_MS = 250;

export function openChannel(
  stream: unknown,
  wanted: boolean | undefined,
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
  stream.on(
    'data',
    readLines((line) => !ended && onLine(line), LONGEST_LINE),
  );
  // A broken pipe is the child's death, told elsewhere.
  stream.on('error', finish);
  stream.on('end', finish);
  return {
    send: (line) => {
      if (!ended && stream.writableLength < LONGEST_QUEUE) stream.write(`${line}\n`);
    },
    drain: (done) => {
      if (ended) return done();
      const timer = setTimeout(finish, DRAIN_MS);
      onEnd = () => {
        clearTimeout(timer);
        done();
      };
    },
  };
}
