/** Files encrypted with age, https://age-encryption.org/v1: the program `age` reads and writes the same. */
import { Decrypter, Encrypter } from 'age-encryption';
import { Failure, messageOf } from '../base/errors.ts';

export type Bytes = AsyncIterable<Uint8Array>;

/** To whom: the owners of these public keys, or whoever knows the passphrase. */
export type Lock = { readonly recipients: readonly string[] } | { readonly passphrase: string };

/** `identity`: the text of a file of age-keygen, comments included. */
export type Key = { readonly identity: string } | { readonly passphrase: string };

/** Encrypts as it flows: about 90 MB/s, and no more than a few chunks in memory. @throws Failure at a bad recipient. */
export async function* encrypt(source: Bytes, lock: Lock): AsyncGenerator<Uint8Array> {
  const encrypter = new Encrypter();
  if ('passphrase' in lock) encrypter.setPassphrase(lock.passphrase);
  else for (const recipient of lock.recipients) addRecipient(encrypter, recipient);
  yield* fromWeb(await encrypter.encrypt(toWeb(source)));
}

/**
 * Decrypts as it flows; what was cut off or changed is noticed at the chunk it concerns, so nothing of it counts before
 * the end was reached. @throws Failure where the key does not fit, or the file is no age file or damaged.
 */
export async function* decrypt(source: Bytes, key: Key, name: string): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter();
  if ('passphrase' in key) decrypter.addPassphrase(key.passphrase);
  else for (const identity of identitiesOf(key.identity, name)) decrypter.addIdentity(identity);
  try {
    yield* fromWeb(await decrypter.decrypt(toWeb(source)));
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const noKey = /no identity matched|no matching|passphrase/i.test(messageOf(cause));
    throw new Failure(
      noKey
        ? `cannot decrypt ${name}: ${'passphrase' in key ? 'the passphrase is wrong' : 'the identity is not one it was encrypted to'}`
        : `cannot decrypt ${name}: it is damaged, cut off, or no file of age (${messageOf(cause)})`,
      { code: noKey ? 'wrong-key' : 'damaged', cause },
    );
  }
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new Failure(`cannot encrypt to ${recipient}: it is no public key of age`, {
      remedy: 'write the one that `age-keygen -y FILE` prints',
      cause,
    });
  }
}

/** The lines of the file that are keys. */
function identitiesOf(text: string, name: string): string[] {
  const keys = text
    .split('\n')
    .flatMap((line) => (/^AGE-SECRET-KEY-/.test(line.trim()) ? [line.trim()] : []));
  if (keys.length > 0) return keys;
  throw new Failure(`cannot decrypt ${name}: the identity file holds no line AGE-SECRET-KEY-…`, {
    remedy: 'name the file that age-keygen wrote',
    code: 'wrong-key',
  });
}

/** age's own chunks are 64 KB; handed over in the pieces they come in. */
function toWeb(source: Bytes): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => {
      await iterator.return?.();
    },
  });
}

async function* fromWeb(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
