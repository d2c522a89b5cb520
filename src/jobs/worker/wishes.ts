/** What the worker would take now. */
import type { JobTypePlan } from '../../config/plan-jobs.ts';
import type { Wish } from '../store.ts';

export interface Room {
  readonly wishes: readonly Wish[];
  /** Of all types together. */
  readonly most: number;
}

/** A claim is one answer of the store, held whole: data of up to 64 KB each. */
const MOST_AT_ONCE = 50;

/** @param active Live attempts by type. What is paused, the store knows. */
export function roomFor(
  types: readonly Pick<JobTypePlan, 'name' | 'concurrency'>[],
  concurrency: number,
  active: ReadonlyMap<string, number>,
): Room {
  let busy = 0;
  for (const count of active.values()) busy += count;
  const most = Math.min(MOST_AT_ONCE, concurrency - busy);
  if (most <= 0) return { wishes: [], most: 0 };
  const wishes = types
    .map(({ name, concurrency: own }) => ({
      type: name,
      count: Math.min(most, own - (active.get(name) ?? 0)),
    }))
    .filter(({ count }) => count > 0);
  return { wishes, most: wishes.length === 0 ? 0 : most };
}
