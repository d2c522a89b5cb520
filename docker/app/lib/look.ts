/** Initials of a name, for a drawn logo: one or two characters. */
export function initialsOf(name: string): string {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  const [one = '?', two] = words;
  const inner = /^\p{Lu}\p{Ll}+(\p{Lu})/u.exec(one)?.[1];
  const second = two ? [...two][0] : inner;
  return `${[...one][0]}${second ?? ''}`.toUpperCase();
}

// Hues that look good behind white letters: no olive, no mud.
const hues = [352, 8, 24, 150, 166, 188, 212, 232, 250, 268, 288, 308, 330];

/** A stable hue for a name, in degrees. */
export function hueOf(name: string): number {
  let hash = 2166136261;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 16777619);
  }
  return hues[(hash >>> 0) % hues.length] ?? 250;
}
