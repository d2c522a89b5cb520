/**
 * Whether JSON of others is nested deeper than `most`. It can be read however deep it is, but JSON.stringify goes down
 * its own stack and throws some thousand levels below: 10 KB of brackets.
 */
export function isDeeperThan(most: number, value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}
