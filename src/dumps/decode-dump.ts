/** The text of a dump, decompressed, chunk by chunk; a cut or damaged file is an error and never an early end. */
import { createReadStream } from 'node:fs';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { Failure, messageOf } from '../base/errors.ts';

const CHUNK = 1024 * 1024;

export interface DecodeOptions {
  readonly compression: 'none' | 'gzip' | 'zstd';
  readonly signal: AbortSignal;
  /** Each chunk of the file as it lies on disk. */
  onRaw(chunk: Buffer): void;
}

export async function* decodeDump(path: string, options: DecodeOptions): AsyncGenerator<Buffer, void, void> {
  const file = createReadStream(path, { highWaterMark: CHUNK, signal: options.signal });
  let read = 0;
  file.on('data', (chunk) => {
    if (typeof chunk === 'string') return;
    read += chunk.length;
    options.onRaw(chunk);
  });
  if (options.compression === 'none') {
    yield* file;
    return;
  }
  const decoder =
    options.compression === 'gzip'
      ? createGunzip({ chunkSize: CHUNK / 4 })
      : createZstdDecompress({ chunkSize: CHUNK / 4 });
  file.on('error', (error) => decoder.destroy(error));
  file.pipe(decoder);
  try {
    yield* decoder;
  } catch (cause) {
    if (options.signal.aborted) throw cause;
    const cut = /unexpected end of file/.test(messageOf(cause));
    throw new Failure(
      `cannot import ${path}: the ${options.compression} file is ${cut ? 'cut off' : 'damaged'} (${messageOf(cause)})`,
      { remedy: 'copy or make the dump again; nothing was changed', cause },
    );
  } finally {
    file.destroy();
  }
  // Node stops at the end of the first frame of zstd, and says nothing of what follows.
  if (decoder.bytesWritten < read) {
    throw new Failure(
      `cannot import ${path}: something follows the first frame of the ${options.compression} file`,
      {
        remedy: 'decompress it, and compress the text again in one piece',
      },
    );
  }
}
