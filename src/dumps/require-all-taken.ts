/** What the server took of a dump against what the dump was seen to hold. */
import { Failure } from '../base/errors.ts';
import { formatRows } from '../program/progress.ts';
import type { SqlFacts } from './inspection.ts';
import type { SqlRestored } from './sql-run.ts';

/** Throws a Failure where a row is missing, though every table was found again. */
export function requireAllTaken(
  path: string,
  restored: Pick<SqlRestored, 'tables'>,
  facts: Pick<SqlFacts, 'tables' | 'rows'>,
): void {
  const copied = [...restored.tables.values()].reduce((sum, { expected }) => sum + expected, 0);
  if (restored.tables.size !== facts.tables.size || copied === facts.rows) return;
  throw new Failure(
    `cannot import ${path}: the server took ${formatRows(copied)} of ${formatRows(facts.rows)}`,
    { remedy: 'nothing was changed; did the file change while it was read?' },
  );
}
