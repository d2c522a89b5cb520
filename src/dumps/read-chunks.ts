/** A file in chunks, in memory that is used again: a gigabyte that passes leaves no gigabyte for the collector. */
import { open } from 'node:fs/promises';

const CHUNK = 256 * 1024;

/** A chunk is good until the one after the next is asked for. */
export async function* readChunks(path: string, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const file = await open(path, 'r');
  try {
    const buffers = [Buffer.allocUnsafeSlow(CHUNK), Buffer.allocUnsafeSlow(CHUNK)] as const;
    for (let turn = 0; ; turn = 1 - turn) {
      signal?.throwIfAborted();
      const buffer = turn === 0 ? buffers[0] : buffers[1];
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
