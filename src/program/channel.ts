/** fd 3: the assignment comes in, reports go out. */
import { Socket } from 'node:net';
import { Failure, messageOf } from '../base/errors.ts';
import type { Assignment, Report } from '../protocol/channel.ts';

export interface Channel {
  readonly assignment: Assignment;
  report(report: Report): void;
  /** Resolves when all reports have left; nothing can be reported after it. */
  close(): Promise<void>;
}

const CHANNEL_FD = 3;

/** Reads the one line PID 1 sends. Throws a Failure where there is no PID 1 on the other side. */
export async function openChannel(): Promise<Channel> {
  const socket = openSocket();
  let gone = false;
  socket.on('error', () => {
    gone = true;
  });
  const assignment = parseAssignment(await readLine(socket));
  socket.resume();
  // Waiting for PID 1 to say more must not keep a finished program alive.
  socket.unref();
  return {
    assignment,
    report: (report) => {
      if (!gone) socket.write(`${JSON.stringify(report)}\n`);
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

function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      if (!chunk.includes(0x0a)) return;
      socket.pause();
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve(Buffer.concat(chunks).toString('utf8').split('\n')[0] ?? '');
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
