/**
 * At most so many in all, shared evenly: who has less than an even share has all of its own, and what it leaves is for the others.
 * @param lists by who has them; of each the first are taken
 */
export function shareOut<T>(
  lists: ReadonlyMap<string, readonly T[]>,
  most: number,
): { readonly of: string; readonly one: T }[] {
  const fewestFirst = [...lists].toSorted(([, a], [, b]) => a.length - b.length);
  let left = most;
  return fewestFirst.flatMap(([of, list], index) => {
    const share = list.slice(0, Math.floor(left / (fewestFirst.length - index)));
    left -= share.length;
    return share.map((one) => ({ of, one }));
  });
}
