/** Looks at all of a bundle before anything is done with it, and takes out the little that is kept in memory. */
import { type Bytes, decrypt } from '../archives/age.ts';
import { Failure } from '../base/errors.ts';
import { requireReadable } from '../dumps/archive-version.ts';
import { archiveVersion } from '../dumps/dump-format.ts';
import { DUMP, ENVIRONMENT, SEALED_ENVIRONMENT } from './bundle-format.ts';
import { type ReadBundle, readBundle } from './read-bundle.ts';

export interface OpenBundle extends ReadBundle {
  readonly path: string;
  /** For app.env: the whole of it where it could be decrypted, else without its secrets. */
  readonly environment: Buffer | undefined;
  /** Still encrypted, because nobody gave a passphrase. */
  readonly sealed: Buffer | undefined;
}

export interface OpenBundleOptions {
  /** Of the pg_restore that will read the dump. */
  readonly major: number;
  readonly passphrase: string | undefined;
  readonly signal: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

/** An environment file is never larger, in bytes. */
const LARGEST = 16 * 1024 ** 2;

/**
 * @throws Failure where it is damaged, of a newer form, made for newer programs, or the passphrase is not the one its
 * secrets were encrypted to.
 */
export async function openBundle(path: string, options: OpenBundleOptions): Promise<OpenBundle> {
  const { major, passphrase, signal, onBytes } = options;
  const files = new Map<string, Buffer>();
  const read = await readBundle(path, {
    signal,
    ...(onBytes ? { onBytes } : {}),
    onEntry: async (entry, body) => {
      if (entry.path === DUMP) {
        const first = await body[Symbol.asyncIterator]().next();
        const head = first.done ? Buffer.alloc(0) : Buffer.from(first.value);
        requireReadable(`${DUMP} of ${path}`, archiveVersion(head), major);
      } else if (entry.path === ENVIRONMENT || entry.path === SEALED_ENVIRONMENT) {
        if (entry.size > LARGEST) {
          throw new Failure(`cannot use the bundle ${path}: ${entry.path} in it is no environment file`);
        }
        files.set(entry.path, await collect(body));
      }
    },
  });
  const plain = files.get(ENVIRONMENT);
  const sealed = files.get(SEALED_ENVIRONMENT);
  if (sealed === undefined || passphrase === undefined) return { ...read, path, environment: plain, sealed };
  const name = `${SEALED_ENVIRONMENT} of ${path}`;
  try {
    const environment = await collect(decrypt(once(sealed), { passphrase }, name));
    return { ...read, path, environment, sealed: undefined };
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== 'wrong-key') throw cause;
    throw new Failure(cause.message, {
      code: cause.code,
      remedy:
        'give the one that `bulkhead bundle create` was given, in BUNDLE_PASSPHRASE or BUNDLE_PASSPHRASE_FILE, or unset both: then its secrets stay encrypted; nothing was changed',
      cause,
    });
  }
}

async function collect(body: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  // The memory of a chunk is used again.
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
