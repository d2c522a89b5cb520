/** Where the control socket lies: one rule for the supervisor, which makes it, and for clients, which look for it. */

/** sun_path of unix(7) has 108 bytes, one of them the final NUL. */
const LONGEST = 107;

/** The folder of the first choice; in the image it is there for root. */
export const RUN_DIR = '/run/bulkhead';

/**
 * All places the socket of this volume may be, the supervisor's first choice first: a short path under /run,
 * beside the data, under /tmp. Paths too long for a socket are left out.
 * @param dataDir absolute path of the volume
 * @param uid whom the supervisor runs as
 */
export function socketCandidates(dataDir: string, uid: number): readonly string[] {
  const folder = dataDir.replace(/\/+$/, '');
  const all = [
    `${RUN_DIR}/control.sock`,
    `${folder}/bulkhead/control.sock`,
    `/tmp/bulkhead-${uid}-${hashText(folder)}.sock`,
  ];
  return all.filter((path) => Buffer.byteLength(path) <= LONGEST);
}

/** FNV-1a, 32 bits, as 8 hex digits: enough to tell volumes apart, and needs no node:crypto in PID 1. */
export function hashText(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
