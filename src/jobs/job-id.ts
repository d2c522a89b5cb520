/** Ids of jobs: ours, made before any store is asked, so that the same job is the same in all of them. */
import { createHash, randomBytes } from 'node:crypto';

/**
 * With an idempotency key always the same id for this type and key (RFC 9562, version 8, of SHA-256); else a new one
 * that sorts by time (version 7).
 * @param scope The key counts within it alone.
 */
export function makeJobId(
  type: string,
  idempotencyKey?: string,
  now: number = Date.now(),
  scope?: string,
): string {
  if (idempotencyKey === undefined) {
    const bytes = randomBytes(16);
    bytes.writeUIntBE(now, 0, 6);
    return format(bytes, 7);
  }
  const hash = createHash('sha256')
    .update(JSON.stringify([type, idempotencyKey, ...(scope === undefined ? [] : [scope])]))
    .digest();
  return format(hash.subarray(0, 16), 8);
}

function format(bytes: Buffer, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
