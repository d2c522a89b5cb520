/**
 * The one candidate a mistyped word most likely meant, or undefined.
 * Distance is Damerau-Levenshtein, at most a third of the word (1 to 3 edits); case, `-` and `_` never count.
 */
export function suggestWord(word: string, candidates: Iterable<string>): string | undefined {
  const folded = foldCase(word);
  if (folded === '') return undefined;
  const limit = Math.min(3, Math.max(1, Math.floor(folded.length / 3)));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const other = foldCase(candidate);
    if (Math.abs(other.length - folded.length) > limit) continue;
    const distance = editDistance(folded, other);
    if (distance < bestDistance && 1 - distance / Math.max(folded.length, other.length) > 0.4) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** The `count` candidates nearest to `word`, nearest first: what a long "allowed here" list is cut to. */
export function nearestWords(word: string, candidates: Iterable<string>, count: number): string[] {
  const folded = foldCase(word);
  return [...candidates]
    .map((candidate) => ({ candidate, distance: editDistance(folded, foldCase(candidate)) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** `startPeriod`, `start-period` and `start_period` are one word. */
function foldCase(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, '');
}

/** Optimal string alignment: insert, delete, replace, and swap of neighbours cost one each. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
