/** The text of a dump, decompressed, chunk by chunk; a cut or damaged file is an error and never an early end. */
import { PassThrough, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { Failure, messageOf } from '../base/errors.ts';
import { runTool } from '../system/commands.ts';
import { findProgram } from '../system/program-path.ts';
import type { Compression } from './dump-format.ts';
import { readChunks } from './read-chunks.ts';
import { ZstdFrames } from './zstd-frames.ts';

const DECODED = 64 * 1024;

export interface DecodeOptions {
  readonly compression: Compression;
  readonly signal: AbortSignal;
  /** Each chunk of the file as it lies on disk. */
  onRaw(chunk: Buffer): void;
}

/** A chunk is good until the one after the next is asked for: its memory is used again. */
export function decodeDump(path: string, options: DecodeOptions): AsyncGenerator<Buffer, void, void> {
  const { compression } = options;
  if (compression === 'none') return readRaw(path, options);
  if (compression === 'xz' || compression === 'bzip2') return decodeByTool(path, compression, options);
  return decodeHere(path, compression, options);
}

async function* readRaw(path: string, { signal, onRaw }: DecodeOptions): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of readChunks(path, signal)) {
    onRaw(chunk);
    yield chunk;
  }
}

async function* decodeHere(
  path: string,
  compression: 'gzip' | 'zstd',
  options: DecodeOptions,
): AsyncGenerator<Buffer, void, void> {
  const decoder =
    compression === 'gzip'
      ? createGunzip({ chunkSize: DECODED })
      : createZstdDecompress({ chunkSize: DECODED });
  const frames = compression === 'zstd' ? new ZstdFrames() : undefined;
  let read = 0;
  const feed = async (): Promise<void> => {
    for await (const chunk of readRaw(path, options)) {
      for (const piece of frames?.split(chunk) ?? [chunk]) {
        if (decoder.destroyed) return;
        read += piece.length;
        // Only when it is taken in may its memory be filled anew.
        await new Promise<void>((resolve) => decoder.write(piece, () => resolve()));
      }
    }
    decoder.end();
  };
  feed().catch((error: Error) => decoder.destroy(error));
  try {
    yield* decoder;
  } catch (cause) {
    if (options.signal.aborted) throw cause;
    throw damaged(path, compression, /unexpected end of file/.test(messageOf(cause)), messageOf(cause));
  } finally {
    decoder.destroy();
  }
  // Node says nothing of what follows the end of what it understands.
  if (decoder.bytesWritten < read) {
    throw new Failure(`cannot import ${path}: something that is no ${compression} follows in it`, {
      remedy: 'decompress it, and compress the text again in one piece',
    });
  }
}

const PACKAGES = { xz: 'xz-utils', bzip2: 'bzip2' } as const;

/** Node has no decoder for these; their own programs read them, where the image has them. */
async function* decodeByTool(
  path: string,
  compression: 'xz' | 'bzip2',
  options: DecodeOptions,
): AsyncGenerator<Buffer, void, void> {
  const program = findProgram(compression, process.env.PATH);
  if (program === undefined) {
    throw new Failure(
      `cannot import ${path}: it is compressed by ${compression}, and here is no ${compression}`,
      {
        remedy: `install the package ${PACKAGES[compression]}, or compress the dump with gzip or zstd`,
      },
    );
  }
  const output = new PassThrough({ highWaterMark: DECODED });
  const copies = async function* (): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of readRaw(path, options)) yield Buffer.from(chunk);
  };
  const stop = new AbortController();
  const input = Readable.from(copies(), { objectMode: false, highWaterMark: DECODED });
  const running = runTool([program, '--decompress', '--stdout'], {
    input,
    output,
    signal: AbortSignal.any([options.signal, stop.signal]),
  }).then((result) => {
    output.end();
    return result;
  });
  try {
    yield* output;
  } finally {
    stop.abort();
    input.destroy();
    output.destroy();
  }
  const result = await running;
  if (!result.failed) return;
  options.signal.throwIfAborted();
  const said = result.stderr.trim().split('\n')[0] ?? '';
  throw damaged(path, compression, /end(s|ed)? (of input|unexpectedly)/i.test(said), said);
}

function damaged(path: string, compression: string, cut: boolean, said: string): Failure {
  return new Failure(
    `cannot import ${path}: the ${compression} file is ${cut ? 'cut off' : 'damaged'} (${said})`,
    { remedy: 'copy or make the dump again; nothing was changed' },
  );
}
