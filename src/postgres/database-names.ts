/** The names we give to databases besides the application's: of what is being filled, and of what was replaced. */

/** PostgreSQL cuts longer names silently (NAMEDATALEN - 1), and then two of ours could be one. */
const LONGEST_NAME = 63;

/** Eight hexadecimal digits follow. */
export function derivedName(name: string, why: 'imp' | 'new'): string {
  return `${cut(name, LONGEST_NAME - 16)}__${why}_`;
}

/** Of a database that another one replaces. @param at ms since 1970 */
export function keptName(name: string, at: number): string {
  const stamp = new Date(at).toISOString().replaceAll(/[-:]|\.\d+Z/g, '');
  return `${keptPrefix(name)}${stamp}`;
}

export function keptPrefix(name: string): string {
  return `${cut(name, LONGEST_NAME - 20)}_old_`;
}

const KEPT = /_old_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/;

/** When a database of that name was replaced, ISO 8601; undefined: it is not one that was. */
export function keptSince(name: string): string | undefined {
  const parts = KEPT.exec(name);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
}

/** The longest beginning that fits into so many bytes of UTF-8, never half a character. */
function cut(name: string, bytes: number): string {
  let taken = '';
  for (const character of name) {
    if (Buffer.byteLength(taken + character) > bytes) break;
    taken += character;
  }
  return taken;
}
