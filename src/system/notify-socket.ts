/**
 * The receiving end of sd_notify(3): a datagram socket of one child, which may write to it by the rights of a file.
 * Node knows no such sockets, but its pipe handle takes any descriptor that can be read, and one read is one datagram.
 * Descriptors that come along are closed by the kernel, which is all that BARRIER=1 waits for.
 */
import { chmodSync, chownSync, closeSync, readSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { bindDatagramSocket, openPipe } from './libc.ts';
import type { Identity } from './users.ts';

/** What systemd itself takes at most of one message. */
const LONGEST_MESSAGE = 64 * 1024;

/** A child that writes for ever must not keep us from its end. */
const MOST_LAST_MESSAGES = 100;

export interface NotifySocket {
  /** At the child's death: what it had written is still told. The file is removed. */
  close(): void;
}

/**
 * @param path absolute, at most 107 bytes
 * @param tell gets the assignments of one message: READY → 1
 */
export function openNotifySocket(
  path: string,
  owner: Pick<Identity, 'uid' | 'gid'> | undefined,
  tell: (assignments: ReadonlyMap<string, string>) => void,
): NotifySocket {
  rmSync(path, { force: true });
  const fd = bindDatagramSocket(path);
  try {
    chmodSync(path, 0o600);
    if (owner) chownSync(path, owner.uid, owner.gid);
  } catch (error) {
    closeSync(fd);
    rmSync(path, { force: true });
    throw error;
  }
  const take = (bytes: Uint8Array): void => tell(readAssignments(Buffer.from(bytes).toString('utf8')));
  const Pipe = pipeHandle();
  const handle = new Pipe(0);
  handle.open(fd);
  const options: object = { handle, readable: true, writable: false };
  const socket = new Socket(options);
  socket.on('data', take);
  socket.on('error', () => undefined);
  socket.resume();
  let closed = false;
  return {
    close: () => {
      if (closed) return;
      closed = true;
      if (!socket.destroyed) {
        takeRest(fd, take);
        socket.destroy();
      }
      rmSync(path, { force: true });
    },
  };
}

function readAssignments(text: string): ReadonlyMap<string, string> {
  const assignments = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) assignments.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return assignments;
}

function takeRest(fd: number, take: (bytes: Uint8Array) => void): void {
  const buffer = Buffer.alloc(LONGEST_MESSAGE);
  try {
    for (let count = 0; count < MOST_LAST_MESSAGES; count += 1) {
      take(buffer.subarray(0, readSync(fd, buffer)));
    }
  } catch {
    // Nothing is left.
  }
}

type PipeHandle = new (type: number) => { open(fd: number): void };

let known: PipeHandle | undefined;

/** Node gives the class to nobody, but to every pipe. */
function pipeHandle(): PipeHandle {
  if (known) return known;
  const pipe = openPipe();
  closeSync(pipe.write);
  const socket = new Socket({ fd: pipe.read, readable: true, writable: false });
  const handle: { readonly constructor: unknown } = Reflect.get(socket, '_handle');
  socket.destroy();
  known = handle.constructor as PipeHandle;
  return known;
}
