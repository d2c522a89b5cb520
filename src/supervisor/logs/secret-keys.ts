/** What a record calls a secret. */
import { MASK } from '../../config/secrets.ts';

const NAMES =
  '(?:password|passwd|passphrase|secret|token|authorization|cookies?|credentials?|(?:api|access|private)[-_]?key)';
/** At the end of a key: `set-cookie` and `client_secret`, but neither `tokens` nor `secretName`. */
const NAMED = new RegExp(`${NAMES}"\\s*:`, 'i');
const IS_NAME = new RegExp(`${NAMES}$`, 'i');
/** In what is no whole record, because it was cut. */
const NAMED_TEXT = new RegExp(`(${NAMES}"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, 'gi');
/** Deeper is nothing a logger writes. */
const DEEPEST = 20;

/** Whether lines of JSON may have such a key: asked of many at once. */
export function namesSecret(text: string): boolean {
  return NAMED.test(text);
}

/** The line with the values of such keys masked; undefined: it is no record, or has none. */
export function maskNamed(line: string): string | undefined {
  if (!line.startsWith('{') || !NAMED.test(line)) return undefined;
  try {
    const record: unknown = JSON.parse(line);
    return mask(record, 0) ? JSON.stringify(record) : undefined;
  } catch {
    // Cut, or nested so deep that it can be read and yet not be written again (RangeError).
    const masked = line.replace(NAMED_TEXT, `$1"${MASK}"`);
    return masked === line ? undefined : masked;
  }
}

/** Numbers and truth values stay: a count of tokens is no token. Returns whether anything was masked. */
function mask(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return false;
  let isMasked = false;
  for (const [key, held] of Object.entries(value)) {
    const isSecret = IS_NAME.test(key) && (typeof held === 'string' ? held !== '' : isFilled(held));
    if (isSecret) Reflect.set(value, key, MASK);
    isMasked = mask(held, depth + 1) || isSecret || isMasked;
  }
  return isMasked;
}

function isFilled(held: unknown): boolean {
  return typeof held === 'object' && held !== null && Object.keys(held).length > 0;
}
