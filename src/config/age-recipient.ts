/** The public keys a backup may be encrypted to: X25519 recipients of age, https://age-encryption.org/v1. */

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** 32 bytes in groups of 5 bits, and the checksum. */
const GROUPS = 52 + 6;

/** Whether this is a whole `age1…`: every letter of it is proven by the checksum of Bech32 (BIP 173). */
export function isAgeRecipient(text: string): boolean {
  const letters = /^age1([a-z0-9]+)$/.exec(text)?.[1];
  if (letters === undefined || letters.length !== GROUPS) return false;
  const groups = [...letters].map((letter) => CHARSET.indexOf(letter));
  return !groups.includes(-1) && polymod([...expand('age'), ...groups]) === 1;
}

function expand(prefix: string): number[] {
  const codes = [...prefix].map((letter) => letter.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(values: readonly number[]): number {
  let check = 1;
  for (const value of values) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of GENERATOR.entries()) if ((top >>> bit) & 1) check ^= generator;
  }
  return check >>> 0;
}
