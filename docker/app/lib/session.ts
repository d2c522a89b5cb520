import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export const SESSION_COOKIE = 'admin';
export const SESSION_SECONDS = 8 * 60 * 60;

export type Keys = { password: string; secret: string };

/** The two secrets of the admin pages, or null when one is missing: then the admin is off. */
export function readKeys(env: Record<string, string | undefined>): Keys | null {
  const password = env.ADMIN_PASSWORD;
  const secret = env.NEXTAUTH_SECRET;
  return password && secret ? { password, secret } : null;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Compares in a time that tells nothing about either text, whatever their lengths. */
export function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

// The password is part of the key, so changing it ends every open session.
function sign(expires: number, { password, secret }: Keys): string {
  const key = createHmac('sha256', secret).update(digest(password)).digest();
  return createHmac('sha256', key).update(`admin.${expires}`).digest('base64url');
}

/** A cookie value that is good for SESSION_SECONDS from `nowMs`. */
export function makeSession(keys: Keys, nowMs: number): string {
  const expires = Math.floor(nowMs / 1000) + SESSION_SECONDS;
  return `${expires}.${sign(expires, keys)}`;
}

export function isSession(value: string | undefined, keys: Keys, nowMs: number): boolean {
  const [, digits, signature] = /^(\d{1,12})\.([\w-]{43})$/.exec(value ?? '') ?? [];
  if (digits === undefined || signature === undefined) return false;
  const expires = Number(digits);
  return isSame(signature, sign(expires, keys)) && expires * 1000 > nowMs;
}
