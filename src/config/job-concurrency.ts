/** How many of a job run at once: a number, or what the container has room for. */
import type { BuildContext, Machine } from './build-run.ts';
import { parsed, type Shape } from './shape.ts';
import type { Value } from './tree.ts';
import { placeOfWord } from './words.ts';

export const concurrency: Shape<number | 'auto'> = parsed(
  'a whole number from 1 to 1000, or auto',
  (text) => {
    const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
    return text === 'auto' ? text : number >= 1 && number <= 1000 ? number : undefined;
  },
  {
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 1000 },
      { type: 'string', pattern: '^(\\d+|auto)$|\\$' },
    ],
  },
);

/** @param memoryLimit bytes that one of it may use */
export function settleConcurrency(
  { concurrency: asked = 1, at }: { readonly concurrency?: number | 'auto'; readonly at: Value },
  memoryLimit: number | undefined,
  where: string,
  { machine, problems }: Pick<BuildContext, 'machine' | 'problems'>,
): number {
  if (asked !== 'auto') return asked;
  if (memoryLimit === undefined) {
    problems.error(
      placeOfWord(at, 'concurrency'),
      'missing-word',
      `${where}.concurrency is auto, and nothing says how much memory one of it may use`,
      { suggestion: 'write deploy: { resources: { limits: { memory: 512m } } }, or a number' },
    );
    return 1;
  }
  return fitConcurrency(memoryLimit, machine());
}

/**
 * The other half of the memory is the database's, the application's and the page cache's. More than two of a kind on one
 * processor only make each other slow.
 */
function fitConcurrency(memoryLimit: number, { memory, cpus }: Machine): number {
  const most = Math.max(1, Math.floor(cpus * 2));
  return Math.min(most, Math.max(1, Math.floor(memory / 2 / memoryLimit)));
}
