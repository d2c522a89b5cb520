/** What a token of the API may do. Each role may all that the one before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export function isAtLeast(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The token of BULKHEAD_TOKEN, or of `secrets/token`: an admin. */
export const MAIN_TOKEN = 'main';

/** How tokens are named. The audit log tells these names. */
export const TOKEN_NAME = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  wanted: 'a name of letters, digits, dots, dashes and underscores',
} as const;

/** A shorter one could be guessed. */
const SHORTEST_TOKEN = 20;

/** What makes a token unfit; undefined: nothing. */
export function faultOfToken(token: string): string | undefined {
  if (token.length < SHORTEST_TOKEN)
    return `has ${token.length} characters, and the API needs ${SHORTEST_TOKEN}`;
  return /^[\x21-\x7e]+$/.test(token) ? undefined : 'has characters that no header can carry';
}
