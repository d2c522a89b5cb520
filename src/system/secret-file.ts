import { closeSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensureDir, readTextIfExists } from './files.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

const BYTES = 32;

/**
 * The secret a file holds, without its newline. Where there is none (an empty file is none): 32 random bytes as
 * base64url, kept there, mode 0600, its folder 0700. Throws where it can be neither read nor written.
 */
export function ensureSecretFile(path: string): string {
  const known = readTextIfExists(path)?.trim();
  if (known !== undefined && known !== '') return known;
  const secret = randomBytes().toString('base64url');
  ensureDir(dirname(path), 0o700);
  writeFileAtomic(path, `${secret}\n`, { mode: 0o600 });
  return secret;
}

/** From the kernel itself: node:crypto would cost PID 1 eleven megabytes. So few bytes always come in one piece. */
function randomBytes(): Buffer {
  const bytes = Buffer.alloc(BYTES);
  const fd = openSync('/dev/urandom', 'r');
  try {
    if (readSync(fd, bytes) !== BYTES) throw new Error('cannot read /dev/urandom: it gave too little');
    return bytes;
  } finally {
    closeSync(fd);
  }
}
