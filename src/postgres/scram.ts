/** SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677), computed here so that no cleartext reaches the server's log. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/** PostgreSQL's own default (scram_iterations). */
const ITERATIONS = 4096;

/** `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, what `ALTER ROLE … PASSWORD` keeps as it is. */
export function scramVerifier(
  password: string,
  salt: Buffer = randomBytes(16),
  iterations = ITERATIONS,
): string {
  const salted = pbkdf2Sync(prepare(password), salt, iterations, 32, 'sha256');
  const stored = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${hmac(salted, 'Server Key').toString('base64')}`;
}

/** Whether a verifier is of this password; false for anything that is no SCRAM verifier. */
export function matchesVerifier(password: string, verifier: string): boolean {
  const match = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier);
  if (!match) return false;
  const expected = scramVerifier(password, Buffer.from(match[2] ?? '', 'base64'), Number(match[1]));
  return expected.length === verifier.length && timingSafeEqual(Buffer.from(expected), Buffer.from(verifier));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** SASLprep (RFC 4013) as far as it changes bytes; the server and every client do the same. */
function prepare(password: string): string {
  return password
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replace(/\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200c\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g, '')
    .normalize('NFKC');
}
