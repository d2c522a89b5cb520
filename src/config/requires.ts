import { asList } from './list-forms.ts';
import { oneOf } from './scalars.ts';
import { listOf, type Shape } from './shape.ts';

/** What a run cannot do without: one of these words, or a list of them. */
export function requiresOf<T extends string>(...words: readonly T[]): Shape<readonly T[]> {
  const needs = listOf(oneOf(...words));
  return {
    read: (value, where, reading) => needs.read(asList(value), where, reading),
    schema: { anyOf: [oneOf(...words).schema, needs.schema] },
  };
}
