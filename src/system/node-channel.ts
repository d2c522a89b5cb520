/**
 * Node's own channel between a parent and a child, our end of it: a socket on which each side writes JSON, a line each.
 * `child_process` would make one for `stdio: 'ipc'`, and with it an object for every message whatever its size; all we
 * want to hear is one word. The program finds the descriptor by a variable, which Node takes away when it starts, and
 * closes it to what it starts in turn; a shell in between hands both on, so what it starts may speak as well.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { readLines } from './line-reader.ts';

/** Longer messages are nobody's "ready". */
const LONGEST_LINE = 64 * 1024;

/** What tells a Node program where its channel is. */
export function nodeChannelVariables(fd: number): Record<string, string> {
  return { NODE_CHANNEL_FD: String(fd), NODE_CHANNEL_SERIALIZATION_MODE: 'json' };
}

/**
 * Waits for `process.send('ready')`, then reads on and forgets: a program whose channel is closed dies of its next
 * message.
 */
export function readNodeChannel(stream: unknown, onReady: () => void): { close(): void } | undefined {
  if (!(stream instanceof Socket)) return undefined;
  let told = false;
  const read = readLines((line) => {
    if (told || line !== '"ready"') return;
    told = true;
    onReady();
  }, LONGEST_LINE);
  const take = (chunk: Buffer): void => {
    if (!told) read(chunk);
  };
  stream.on('data', take);
  // A broken pipe is the child's death, told elsewhere.
  stream.on('error', () => undefined);
  return {
    /** At the child's death: what it had written is still told, before its exit. Nobody else's end is waited for. */
    close: () => {
      if (!told && !stream.destroyed) takeRest(stream, take);
      told = true;
      stream.destroy();
    },
  };
}

function takeRest(stream: Socket, take: (chunk: Buffer) => void): void {
  const handle: { readonly fd?: number } | null | undefined = Reflect.get(stream, '_handle');
  const fd = handle?.fd;
  if (fd === undefined || fd < 0) return;
  const buffer = Buffer.alloc(LONGEST_LINE);
  try {
    take(buffer.subarray(0, readSync(fd, buffer)));
  } catch {
    // Nothing is left.
  }
}
