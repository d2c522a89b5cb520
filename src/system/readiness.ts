import { readSync } from 'node:fs';
import { Socket } from 'node:net';

const NEWLINE = 10;

/**
 * Waits for the newline of s6's readiness protocol on a pipe. Then reads on and forgets: a daemon that keeps the
 * descriptor and writes again must not die of a broken pipe.
 */
export function readReadiness(fd: number, onReady: () => void): { close(): void } {
  let told = false;
  const take = (bytes: Uint8Array): void => {
    if (told || !bytes.includes(NEWLINE)) return;
    told = true;
    onReady();
  };
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('data', take);
  socket.on('error', () => undefined);
  return {
    /** At the child's death: what it had written is still told, before its exit. */
    close: () => {
      if (socket.destroyed) return;
      if (!told) takeRest(fd, take);
      told = true;
      socket.destroy();
    },
  };
}

function takeRest(fd: number, take: (bytes: Uint8Array) => void): void {
  const buffer = new Uint8Array(4096);
  try {
    take(buffer.subarray(0, readSync(fd, buffer)));
  } catch {
    // Nothing there.
  }
}
