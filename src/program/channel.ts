/** fd 3: the assignment comes in, reports go out. */
import { Socket } from 'node:net';
import { Failure, messageOf } from '../base/errors.ts';
import type { Assignment, Report } from '../protocol/channel.ts';
import type { FromWorker, ToWorker } from '../protocol/jobs.ts';
import { readLines } from '../system/line-reader.ts';

export interface Channel {
  readonly assignment: Assignment;
  report(report: Report | FromWorker): void;
  /** From now on every further line of PID 1, and the first ones that came before; keeps the program alive. `onEnd`: PID 1 is gone. */
  hear(listener: (message: ToWorker) => void, onEnd: () => void): void;
  /** Resolves when all reports have left; nothing can be reported after it. */
  close(): Promise<void>;
}

const CHANNEL_FD = 3;
/** Bytes; PID 1 sends none that is longer. */
const LONGEST_LINE = 1024 * 1024;

/** Reads the one line PID 1 sends. Throws a Failure where there is no PID 1 on the other side. */
export async function openChannel(): Promise<Channel> {
  const socket = openSocket();
  let gone = false;
  socket.on('error', () => {
    gone = true;
  });
  const { line, rest } = await readLine(socket);
  const assignment = parseAssignment(line);
  let onMessage: ((message: ToWorker) => void) | undefined;
  let early: ToWorker[] = [];
  const take = readLines((text) => {
    // PID 1 is this very program: the shape is the one of protocol/jobs.ts.
    const message = JSON.parse(text) as ToWorker;
    if (onMessage) onMessage(message);
    else early.push(message);
  }, LONGEST_LINE);
  if (rest.length > 0) take(rest);
  socket.on('data', take);
  socket.resume();
  // Waiting for PID 1 to say more must not keep a finished program alive.
  socket.unref();
  return {
    assignment,
    report: (report) => {
      if (!gone) socket.write(`${JSON.stringify(report)}\n`);
    },
    hear: (listener, onEnd) => {
      socket.ref();
      socket.once('close', onEnd);
      onMessage = listener;
      for (const message of early) listener(message);
      early = [];
    },
    close: () =>
      new Promise((resolve) => {
        if (gone || socket.destroyed) return resolve();
        socket.ref();
        socket.once('close', () => resolve());
        socket.end(() => socket.destroy());
      }),
  };
}

function openSocket(): Socket {
  try {
    return new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
  } catch (cause) {
    throw new Failure(`cannot reach the supervisor on descriptor ${CHANNEL_FD}: ${messageOf(cause)}`, {
      remedy: 'this program is started by `bulkhead up`, not by hand',
      cause,
    });
  }
}

/** The first line, and what came behind it in the same breath. */
function readLine(socket: Socket): Promise<{ readonly line: string; readonly rest: Buffer }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      if (!chunk.includes(0x0a)) return;
      socket.pause();
      socket.off('data', onData);
      socket.off('close', onClose);
      const read = Buffer.concat(chunks);
      const end = read.indexOf(0x0a);
      resolve({ line: read.subarray(0, end).toString('utf8'), rest: read.subarray(end + 1) });
    };
    const onClose = (): void =>
      reject(new Failure('cannot read the assignment: the supervisor closed the channel'));
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}

function parseAssignment(line: string): Assignment {
  try {
    // PID 1 is this very program: the shape is the one of protocol/channel.ts.
    return JSON.parse(line) as Assignment;
  } catch (cause) {
    throw new Failure(`cannot read the assignment: ${messageOf(cause)}`, { cause });
  }
}
