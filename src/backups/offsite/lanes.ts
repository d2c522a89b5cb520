/** Does the same with many things, so many at a time. Results in the order of the things; the first error ends it. */
export async function inLanes<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const source = iterate(items);
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed) {
      const { done, value } = await source.next();
      if (done) return;
      const index = next;
      next += 1;
      try {
        results[index] = await work(value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const all = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const broken = all.find((each) => each.status === 'rejected');
  if (broken) throw broken.reason;
  return results;
}

/** A generator answers one after the other, whoever asks. */
async function* iterate<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, void> {
  yield* items;
}
