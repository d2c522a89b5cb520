/**
 * Are both texts equal? Takes the same time wherever they differ, so that a token cannot be guessed letter by letter.
 * A loop of ours, because node:crypto's timingSafeEqual costs PID 1 megabytes.
 */
export function isSameSecret(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length;
  // As many steps as the given text has: that length the caller knows anyway.
  for (let index = 0; index < given.length; index += 1) {
    difference |= given.charCodeAt(index) ^ secret.charCodeAt(index % Math.max(1, secret.length));
  }
  return difference === 0 && secret.length > 0;
}
